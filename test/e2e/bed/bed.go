//go:build linux

// Package bed is what the tests on a real Kubernetes share: the images of this tree in
// the cluster's registry, the operator installed from config/ as its users do, models
// in an S3 server. Its tests are in tiers, a package each: core has the cluster alone,
// edge a way in and certificates, scale metrics and autoscalers.
//
//	make e2e-core
//
// KUBECONFIG=… runs them on another cluster; package test/cluster says what it must have.
package bed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/buffer"
	"mizzen.dev/test/cluster"
	"mizzen.dev/test/cluster/binary"
)

const (
	// SystemNamespace is where the operator is installed.
	SystemNamespace = "mizzen-system"
	// OperatorUser is who the operator is to the API server.
	OperatorUser = "system:serviceaccount:" + SystemNamespace + ":mizzen-operator"
	bucket       = "models"
	// Patience is for a Model to have its pods, on a machine whose cores are busy.
	Patience = 3 * time.Minute
	// pollInterval is between two looks at a condition.
	pollInterval = 100 * time.Millisecond
)

// Bed is a cluster with Mizzen on it.
type Bed struct {
	*cluster.Cluster
	// Objects reads and writes objects, Models among them.
	Objects client.Client
	// Image of mizzen, by digest, and of its operator.
	Image, OperatorImage string
	// Platform is the platform file that the operator is given, but for the image.
	Platform string
	// Root is the directory of the repository, Programs that of mizzen and mizzenctl.
	Root, Programs string

	store *minio.Client
}

// Shared is a bed for all tests of a package, made when the first one asks.
type Shared struct {
	cluster *cluster.Shared
	bed     Bed
}

// NewShared returns a bed that is not made yet. Before the operator is installed,
// prepare starts what the tests want beside it, and says so in Bed.Platform.
func NewShared(prepare func(context.Context, *Bed) error) *Shared {
	return newShared(func(ctx context.Context, b *Bed) error {
		if err := b.FillStore(ctx); err != nil {
			return err
		}
		if prepare != nil {
			if err := prepare(ctx, b); err != nil {
				return err
			}
		}
		return b.install(ctx)
	})
}

// NewBare returns a bed that has the images of this tree and what prepare starts, and
// neither operator nor models: a test brings them.
func NewBare(prepare func(context.Context, *Bed) error) *Shared { return newShared(prepare) }

func newShared(furnish func(context.Context, *Bed) error) *Shared {
	s := &Shared{}
	s.cluster = cluster.NewShared(cluster.Options{}, func(ctx context.Context, c *cluster.Cluster) error {
		return s.bed.make(ctx, c, furnish)
	})
	return s
}

// Run is for TestMain.
func (s *Shared) Run(m *testing.M) int { return s.cluster.Run(m) }

// Get returns the bed.
func (s *Shared) Get(t *testing.T) *Bed {
	t.Helper()
	s.cluster.Get(t)
	return &s.bed
}

func (b *Bed) make(ctx context.Context, c *cluster.Cluster, furnish func(context.Context, *Bed) error) error {
	b.Cluster = c
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	source, err := binary.Source("")
	if err != nil {
		return err
	}
	b.Root = filepath.Dir(filepath.Dir(source))
	if b.Objects, err = client.New(c.Config(), client.Options{Scheme: scheme}); err != nil {
		return err
	}
	if err := b.build(ctx); err != nil {
		return err
	}
	if err := b.pushImages(ctx); err != nil {
		return err
	}
	return furnish(ctx, b)
}

// build compiles the programs of this tree.
func (b *Bed) build(ctx context.Context) error {
	var err error
	if b.Programs, err = b.Scratch("programs"); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", b.Programs, "mizzen.dev/cmd/mizzen", "mizzen.dev/cmd/mizzenctl")
	cmd.Dir, cmd.Env = b.Root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building mizzen and mizzenctl: %w\n%s", err, out)
	}
	return nil
}

// evilPickle calls os.system when Python loads it.
const evilPickle = "cposix\nsystem\n(S'touch /tmp/pwned'\ntR."

func (b *Bed) irisFile() string { return filepath.Join(b.Root, "examples", "iris", "model.pkl") }

// MakeBucket makes the bucket of the models.
func (b *Bed) MakeBucket(ctx context.Context) (err error) {
	b.store, err = minio.New(strings.TrimPrefix(b.S3.Endpoint, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(b.S3.AccessKey, b.S3.SecretKey, ""), Region: b.S3.Region,
	})
	if err != nil {
		return err
	}
	there, err := b.store.BucketExists(ctx, bucket)
	if err == nil && !there {
		err = b.store.MakeBucket(ctx, bucket, minio.MakeBucketOptions{Region: b.S3.Region})
	}
	if err != nil {
		return fmt.Errorf("making the bucket: %w", err)
	}
	return nil
}

// FillStore puts the models of the tests where Models fetch them.
func (b *Bed) FillStore(ctx context.Context) error {
	if err := b.MakeBucket(ctx); err != nil {
		return err
	}
	for _, version := range []string{"0.1.0", "0.2.0", "0.3.0"} {
		if _, err := b.store.FPutObject(ctx, bucket, "iris/"+version+"/model.pkl", b.irisFile(), minio.PutObjectOptions{}); err != nil {
			return fmt.Errorf("uploading a model: %w", err)
		}
	}
	_, err := b.store.PutObject(ctx, bucket, "evil/model.pkl", strings.NewReader(evilPickle), int64(len(evilPickle)), minio.PutObjectOptions{})
	if err != nil {
		return fmt.Errorf("uploading a pickle with code in it: %w", err)
	}
	return nil
}

// pushImages makes and pushes the images of this tree, as their users do.
func (b *Bed) pushImages(ctx context.Context) (err error) {
	if b.Image, err = b.pushImage(ctx, "mizzen"); err != nil {
		return err
	}
	b.OperatorImage, err = b.pushImage(ctx, "mizzenctl", "--program", "mizzenctl", "--binary", filepath.Join(b.Programs, "mizzenctl"))
	return err
}

// PlainHTTP says that the registry speaks it: by the custom of image tools, one at a private
// address does.
func (b *Bed) PlainHTTP() bool {
	host, _, _ := strings.Cut(b.Registry, "/")
	registry, err := name.NewRegistry(host)
	return err == nil && registry.Scheme() == "http"
}

func (b *Bed) pushImage(ctx context.Context, repository string, args ...string) (string, error) {
	image := b.Registry + "/" + repository
	plain := fmt.Sprintf("--plain-http=%t", b.PlainHTTP())
	out, err := b.Mizzen(ctx, append([]string{"image", "-t", image + ":e2e", plain, "--push"}, args...)...)
	if err != nil {
		return "", err
	}
	digest := DigestPattern.FindString(out)
	if digest == "" {
		return "", fmt.Errorf("mizzen image prints no digest: %q", out)
	}
	return image + "@" + digest, nil
}

// install installs the operator from config/, with the image and the platform file
// that a user would put there.
func (b *Bed) install(ctx context.Context) error {
	manifest, err := os.ReadFile(filepath.Join(b.Root, "config", "install.yaml"))
	if err != nil {
		return err
	}
	platform := "    kind: Platform\n    image: " + b.Image + "\n"
	for line := range strings.Lines(b.Platform) {
		platform += "    " + line
	}
	text := regexp.MustCompile(`ghcr\.io/\S+/mizzenctl:\S+`).ReplaceAllString(string(manifest), b.OperatorImage)
	text = strings.Replace(text, "    kind: Platform\n", platform, 1)
	if !strings.Contains(text, b.OperatorImage) || !strings.Contains(text, b.Image) {
		return fmt.Errorf("config/install.yaml has no place for %s or %s", b.OperatorImage, b.Image)
	}
	if err := b.MustBeNew(ctx); err != nil {
		return err
	}
	if err := b.Apply(ctx, text); err != nil {
		return err
	}
	_, err = b.Kubectl(ctx, "-n", SystemNamespace, "rollout", "status", "deployment/mizzen-operator", "--timeout=2m")
	return err
}

// MustBeNew wants a cluster that stays to have no Mizzen yet: it is removed in the end, and
// Models of all namespaces with it.
func (b *Bed) MustBeNew(ctx context.Context) error {
	if b.Own() {
		return nil
	}
	there, err := b.Kubectl(ctx, "get", "crd/models.mizzen.dev", "--ignore-not-found", "-o", "name")
	if err != nil {
		return err
	}
	if there != "" {
		return errors.New("the cluster of KUBECONFIG has Mizzen already, which the tests would remove in the end: take another, or remove it (kubectl delete -f config/install.yaml)")
	}
	b.Remove("-f", filepath.Join(b.Root, "config", "install.yaml"))
	return nil
}

// Remove has kubectl delete something in the end, in a cluster that stays.
func (b *Bed) Remove(args ...string) {
	if b.Own() {
		return
	}
	b.OnStop(func() error {
		_, err := b.Kubectl(context.Background(), append([]string{"delete", "--ignore-not-found", "--timeout=" + Patience.String()}, args...)...)
		return err
	})
}

// run runs a program of this tree as the administrator.
func (b *Bed) run(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(b.Programs, program), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+b.Kubeconfig(), "NO_COLOR=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// Mizzen runs mizzen and returns what it prints.
func (b *Bed) Mizzen(ctx context.Context, args ...string) (string, error) {
	return b.run(ctx, "mizzen", args...)
}

// Mizzenctl runs mizzenctl and returns what it prints.
func (b *Bed) Mizzenctl(ctx context.Context, args ...string) (string, error) {
	return b.run(ctx, "mizzenctl", args...)
}

// Follow runs mizzenctl until it is stopped, as by Ctrl-C.
func (b *Bed) Follow(t *testing.T, args ...string) (out *buffer.Shared, stop func() error) {
	t.Helper()
	out = &buffer.Shared{}
	cmd := exec.CommandContext(t.Context(), filepath.Join(b.Programs, "mizzenctl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+b.Kubeconfig(), "NO_COLOR=1")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return out, func() error {
		return errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait())
	}
}

// Eventually waits until a condition holds, and shows its last word if it does not.
func Eventually(t *testing.T, limit time.Duration, condition func(context.Context) (bool, string)) {
	t.Helper()
	last := ""
	err := wait.PollUntilContextTimeout(t.Context(), pollInterval, limit, true, func(ctx context.Context) (ok bool, err error) {
		ok, last = condition(ctx)
		return ok, nil
	})
	if err != nil {
		t.Fatalf("not so after %s: %s", limit, last)
	}
}
