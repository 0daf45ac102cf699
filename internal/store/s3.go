package store

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"
	"github.com/minio/minio-go/v7/pkg/signer"

	"mizzen.dev/internal/store/uri"
)

// emptySHA256 is the digest of no bytes: a GET has no body.
const emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

const s3Help = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a shared credentials file (AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE), or give the pod's ServiceAccount a role; for a public bucket use --anonymous (MIZZEN_ANONYMOUS=true)"

// s3 is an object of S3, or of what speaks its protocol.
type s3 struct {
	httpSource
	env    *environment
	uri    *uri.URI
	region string
	creds  *credentials.Credentials // nil: anonymous
	guess  bool                     // the credentials are sought where there may be nobody
}

func newS3(_ context.Context, e *environment, u *uri.URI) (source, error) {
	s := &s3{env: e, uri: u, region: e.get("AWS_REGION", "AWS_DEFAULT_REGION")}
	if s.region == "" {
		s.region = "us-east-1"
	}
	if !e.Anonymous {
		s.creds, s.guess = e.s3Credentials()
	}
	s.httpSource = httpSource{client: e.client, prepare: s.sign, resume: ifMatch}
	return s, s.locate()
}

// locate makes the address: AWS's own has the bucket in the host's name, any
// other one has it in the path, which all of them understand.
func (s *s3) locate() error {
	key := s3utils.EncodePath(s.uri.Path)
	endpoint := s.env.get("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
	switch {
	case endpoint != "":
		base, err := url.Parse(endpoint)
		if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
			return &NotFoundError{What: "AWS_ENDPOINT_URL is no address; expected http://HOST[:PORT] or https://HOST"}
		}
		s.url = strings.TrimSuffix(base.String(), "/") + "/" + s.uri.Host + "/" + key
	case strings.Contains(s.uri.Host, "."): // a certificate for *.s3 does not cover it
		s.url = "https://s3." + s.domain() + "/" + s.uri.Host + "/" + key
	default:
		s.url = "https://" + s.uri.Host + ".s3." + s.domain() + "/" + key
	}
	if s.uri.Revision != "" {
		s.url += "?versionId=" + url.QueryEscape(s.uri.Revision)
	}
	return nil
}

func (s *s3) domain() string {
	if strings.HasPrefix(s.region, "cn-") {
		return s.region + ".amazonaws.com.cn"
	}
	return s.region + ".amazonaws.com"
}

// open asks again with the bucket's region if it is another than was thought.
func (s *s3) open(ctx context.Context, at position) (*content, error) {
	resp, err := s.get(ctx, at)
	if err != nil {
		return nil, err
	}
	if region := resp.Header.Get("X-Amz-Bucket-Region"); region != "" && region != s.region && resp.StatusCode >= 300 {
		resp.Body.Close()
		s.region = region
		if err := s.locate(); err != nil {
			return nil, err
		}
		return s.httpSource.open(ctx, at)
	}
	c, err := s.content(resp, at)
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return c, nil
}

func (s *s3) sign(ctx context.Context, r *http.Request) error {
	r.Header.Set("X-Amz-Content-Sha256", emptySHA256)
	if s.creds == nil {
		return nil
	}
	ctx, cancel := lookupContext(ctx, s.guess)
	defer cancel()
	value, err := s.creds.GetWithContext(&credentials.CredContext{Client: s.env.lookup, Context: ctx})
	if err != nil {
		if s.guess {
			err = errNoMetadata
		}
		return &CredentialsError{Help: s3Help, Err: err}
	}
	if value.AccessKeyID == "" || value.SecretAccessKey == "" {
		return &CredentialsError{Help: s3Help}
	}
	*r = *signer.SignV4(*r, value.AccessKeyID, value.SecretAccessKey, value.SessionToken, s.region)
	return nil
}

// s3Credentials looks where AWS's own libraries do, in their order: the
// environment, a web identity, the shared files, the container's and the
// machine's role. It is a guess that there is the last one.
func (e *environment) s3Credentials() (creds *credentials.Credentials, guess bool) {
	if id, secret := e.get("AWS_ACCESS_KEY_ID"), e.get("AWS_SECRET_ACCESS_KEY"); id != "" && secret != "" {
		return credentials.NewStaticV4(id, secret, e.get("AWS_SESSION_TOKEN")), false
	}
	role := &credentials.IAM{Region: e.get("AWS_REGION", "AWS_DEFAULT_REGION")}
	if token := e.get("AWS_WEB_IDENTITY_TOKEN_FILE"); token != "" {
		role.Endpoint = e.get("AWS_ENDPOINT_URL_STS")
		role.EKSIdentity.TokenFile, role.EKSIdentity.RoleARN = token, e.get("AWS_ROLE_ARN")
		role.EKSIdentity.RoleSessionName = e.get("AWS_ROLE_SESSION_NAME")
		return credentials.New(role), false
	}
	if shared := e.sharedFile(); shared != "" {
		return credentials.New(&credentials.FileAWSCredentials{Filename: shared, Profile: e.get("AWS_PROFILE")}), false
	}
	if e.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI") != "" {
		return credentials.New(role), false
	}
	if strings.EqualFold(e.get("AWS_EC2_METADATA_DISABLED"), "true") {
		return credentials.New(noCredentials{}), true
	}
	role.Endpoint = strings.TrimSuffix(e.get("AWS_EC2_METADATA_SERVICE_ENDPOINT"), "/")
	return credentials.New(role), true
}

// sharedFile returns the shared credentials file, if there is one.
func (e *environment) sharedFile() string {
	path := e.get("AWS_SHARED_CREDENTIALS_FILE")
	if path == "" {
		if home := e.get("HOME"); home != "" {
			path = home + "/.aws/credentials"
		}
		if _, err := os.Stat(path); err != nil {
			return ""
		}
	}
	return path
}

// noCredentials is what is left when nothing may be asked.
type noCredentials struct{}

// Retrieve implements [credentials.Provider].
func (noCredentials) Retrieve() (credentials.Value, error) {
	return credentials.Value{}, errNoMetadata
}

// RetrieveWithCredContext implements [credentials.Provider].
func (n noCredentials) RetrieveWithCredContext(*credentials.CredContext) (credentials.Value, error) {
	return n.Retrieve()
}

// IsExpired implements [credentials.Provider].
func (noCredentials) IsExpired() bool { return true }
