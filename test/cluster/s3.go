//go:build linux

package cluster

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// S3 is a server of buckets.
type S3 struct {
	// Endpoint is its URL.
	Endpoint string
	// AccessKey and SecretKey are of the user who may do all.
	AccessKey, SecretKey string
	Region               string
}

const (
	s3Port = "7070"
	region = "us-east-1"
	// s3Timeout bounds the start of the S3 server, which takes a tenth of a second.
	s3Timeout = 30 * time.Second
)

// startS3 starts a real S3 server, which checks signatures and knows ranges, ETags and
// multipart uploads, on this machine.
func (c *Cluster) startS3(ctx context.Context) error {
	data, meta := c.site.path("buckets"), c.site.path("metadata")
	for _, dir := range []string{data, meta} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	address := c.site.host() + ":" + s3Port
	c.S3 = S3{Endpoint: "http://" + address, AccessKey: "mizzen", SecretKey: rand.Text(), Region: region}
	// Not every file system has the attributes that metadata could be kept in: the
	// sidecar is a directory for it.
	cmd := exec.Command(c.program("versitygw", "versitygw"), "--port", address, "--region", region, "--health", "/healthz", "--quiet",
		"posix", "--sidecar", meta, data)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+c.S3.AccessKey, "ROOT_SECRET_KEY="+c.S3.SecretKey)
	p, err := c.startProcess("s3", cmd)
	if err != nil {
		return err
	}
	return waitForHTTP(ctx, p, http.DefaultClient, c.S3.Endpoint+"/healthz", s3Timeout)
}

// waitForHTTP waits until a process of ours answers 200.
func waitForHTTP(ctx context.Context, p *process, client *http.Client, url string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%s does not answer after %s; its log is %s", url, timeout, p.log))
	defer cancel()
	return waitFor(ctx, func() (bool, error) {
		if err := p.ended(); err != nil {
			return false, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false, err
		}
		res, err := client.Do(req)
		if err != nil {
			return false, nil // not yet
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK, nil
	})
}
