// Package apiserver gives tests a Kubernetes API server of their own: a real one with
// an etcd of its own on loopback, for anybody, with no nodes and no controllers. It
// does all that an API server does: schemas, CEL rules, defaulting, server-side
// apply, admission, RBAC. Nothing runs, and nothing is garbage-collected.
//
// A package of tests shares one, which starts in about 4 seconds when the first test
// asks for it:
//
//	var server = apiserver.NewShared(apiserver.Options{CRDPaths: []string{"../../config/crd"}})
//
//	func TestMain(m *testing.M) { os.Exit(server.Run(m)) }
//
//	func TestX(t *testing.T) {
//		s := server.Get(t)
//		ns := s.Namespace(t)
//		...
//	}
//
// Tests that change what belongs to the whole cluster, or that read the audit log,
// take one for themselves with New.
package apiserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"mizzen.dev/test/cluster/audit"
	"mizzen.dev/test/cluster/binary"
)

const (
	// startTimeout is for etcd and the API server each, on a machine whose cores
	// are all busy; they take about 4 seconds on a quiet one.
	startTimeout = 2 * time.Minute
	// stopTimeout is for each of them to end when asked.
	stopTimeout = time.Minute
)

// Options says what the server is to have from the start.
type Options struct {
	// CRDPaths are files and directories of CustomResourceDefinitions. One that is
	// missing is an error.
	CRDPaths []string
	// CRDs are CustomResourceDefinitions.
	CRDs []*apiextensionsv1.CustomResourceDefinition
	// Args are further flags of kube-apiserver, by name without dashes.
	Args map[string]string
	// Progress is where it is said that the server must be built first; os.Stderr
	// if nil.
	Progress io.Writer
}

// Server is a running API server.
type Server struct {
	// Config is the administrator's, without limits on its requests.
	Config *rest.Config
	// Kubeconfig is the administrator's too, as the content of a file.
	Kubeconfig []byte

	env *envtest.Environment
	dir string
}

// Start starts a server; whoever starts it stops it.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Progress == nil {
		o.Progress = os.Stderr
	}
	bin, err := binary.APIServer().Dir(ctx, o.Progress)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "apiserver")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, env: &envtest.Environment{
		UseExistingCluster:       new(bool), // whatever the environment says
		CRDs:                     o.CRDs,
		CRDDirectoryPaths:        o.CRDPaths,
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  stopTimeout,
	}}
	if err := s.start(bin, o.Args); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Server) start(bin string, args map[string]string) error {
	policy := filepath.Join(s.dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(audit.Policy), 0o600); err != nil {
		return err
	}
	s.env.ControlPlane.Etcd = &envtest.Etcd{Path: filepath.Join(bin, "etcd")}
	server := s.env.ControlPlane.GetAPIServer()
	server.Path = filepath.Join(bin, "kube-apiserver")
	flags := server.Configure().
		Set("audit-policy-file", policy).
		Set("audit-log-path", s.AuditLog()).
		Set("profiling", "false").
		// A list from the cache waits until etcd has said how far it is.
		Set("watch-cache", "false")
	for name, value := range args {
		flags.Set(name, value)
	}
	// The programs end with this process, also when it is killed.
	if err := os.Setenv("EXIT_WITH_PARENT", "1"); err != nil {
		return err
	}
	config, err := s.env.Start()
	if err != nil {
		return fmt.Errorf("starting the API server: %w", err)
	}
	config.QPS = -1 // no limit
	s.Config, s.Kubeconfig = config, s.env.KubeConfig
	return nil
}

// Stop stops the server and removes what it kept.
func (s *Server) Stop() error {
	err := s.env.Stop()
	if err != nil {
		err = fmt.Errorf("stopping the API server: %w", err)
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// AuditLog is the file that package audit reads: who asked the server for what.
func (s *Server) AuditLog() string { return filepath.Join(s.dir, "audit.log") }

// AddUser makes a user in the given groups and returns its configuration. What it
// may do is for RBAC to say: with no binding, next to nothing.
func (s *Server) AddUser(name string, groups ...string) (*rest.Config, error) {
	user, err := s.env.AddUser(envtest.User{Name: name, Groups: groups}, &rest.Config{QPS: -1})
	if err != nil {
		return nil, fmt.Errorf("adding the user %s: %w", name, err)
	}
	return user.Config(), nil
}

// Namespace makes a namespace for a test, named after it as far as names go. It
// stays: without controllers nothing can empty it, so tests must not share one.
func (s *Server) Namespace(t testing.TB) string {
	t.Helper()
	c, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := c.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: namespacePrefix(t.Name())},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return ns.Name
}

// New starts a server for one test, which stops it in the end.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Shared is a server for all tests of a package, started when the first one asks.
type Shared struct {
	options Options
	once    sync.Once
	server  *Server
	err     error
}

// NewShared returns a server that is not started yet.
func NewShared(o Options) *Shared { return &Shared{options: o} }

// Get returns the running server.
func (s *Shared) Get(t testing.TB) *Server {
	t.Helper()
	s.once.Do(func() { s.server, s.err = Start(context.Background(), s.options) })
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.server
}

// Run runs the package's tests and stops the server if one of them started it. It is
// for TestMain.
func (s *Shared) Run(m *testing.M) int {
	code := m.Run()
	if s.server == nil {
		return code
	}
	if err := s.server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
