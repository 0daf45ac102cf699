package store

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"
	"github.com/minio/minio-go/v7/pkg/signer"

	"mizzen.dev/internal/store/uri"
)

// emptySHA256 is the digest of no bytes: a GET has no body.
const emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// defaultRegion is asked first where nobody names one.
const defaultRegion = "us-east-1"

const s3Help = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile of the shared files (AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE, AWS_PROFILE), or give the pod's ServiceAccount a role; for a public bucket use --anonymous (MIZZEN_ANONYMOUS=true)"

// s3 is an object of S3, or of what speaks its protocol.
type s3 struct {
	httpSource
	env    *environment
	uri    *uri.URI
	region string
	who    awsIdentity
}

func newS3(_ context.Context, e *environment, u *uri.URI) (source, error) {
	var who awsIdentity
	if !e.Anonymous {
		var err error
		if who, err = e.awsIdentity(); err != nil {
			return nil, err
		}
	}
	s := &s3{env: e, uri: u, who: who, region: first(e.awsRegion(), who.region, defaultRegion)}
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
		s.url = "https://s3." + awsDomain(s.region) + "/" + s.uri.Host + "/" + key
	default:
		s.url = "https://" + s.uri.Host + ".s3." + awsDomain(s.region) + "/" + key
	}
	if s.uri.Revision != "" {
		s.url += "?versionId=" + url.QueryEscape(s.uri.Revision)
	}
	return nil
}

// awsDomain is where the services of a region are.
func awsDomain(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return region + ".amazonaws.com.cn"
	}
	return region + ".amazonaws.com"
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
	if s.who.creds == nil {
		return nil
	}
	ctx, cancel := lookupContext(ctx, s.who.guess)
	defer cancel()
	value, err := s.who.creds.GetWithContext(&credentials.CredContext{Client: s.env.lookup, Context: ctx})
	if err != nil {
		if s.who.guess {
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
