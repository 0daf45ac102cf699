// Package uri reads the addresses of model files: file, http, https, s3, gs,
// azblob, oci and hf. It asks no store anything, so that whoever only has to know
// where a model comes from needs nothing else.
package uri

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// The schemes.
const (
	File   = "file"
	HTTP   = "http"
	HTTPS  = "https"
	S3     = "s3"
	GS     = "gs"
	AzBlob = "azblob"
	OCI    = "oci"
	HF     = "hf"
)

// Schemes returns all of them.
func Schemes() []string { return []string{File, HTTP, HTTPS, S3, GS, AzBlob, OCI, HF} }

// URI is the address of one file.
type URI struct {
	Scheme string
	// Host is a host of http, https and oci, with its port; the bucket of s3 and
	// gs; the container of azblob.
	Host string
	// Path is the file's path or key there, not escaped and without a slash in
	// front, but for file. Of hf it is that in the repository; of oci that in the
	// artifact or the image, and may be empty.
	Path string
	// Repository is ORG/REPO of hf, and the repository of oci.
	Repository string
	// Revision is the branch, tag or commit of hf (main, if none is named), the
	// generation of gs, the versionId of s3; empty for the newest.
	Revision string
	// Tag and Digest are those of oci.
	Tag, Digest string
	// Account is that of azblob, if the address names it.
	Account string
	// SAS is the signature that an address of azblob holds: a secret.
	SAS string
	// URL is that of http and https, which may hold a password or a signature.
	URL *url.URL
}

// maxLength bounds an address.
const maxLength = 4096

// Parse reads an address. Its errors never quote what could be a secret.
func Parse(raw string) (*URI, error) {
	if len(raw) > maxLength {
		return nil, fmt.Errorf("an address of %d bytes is too long", len(raw))
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return nil, errors.New("expected SCHEME://…, with one of " + strings.Join(Schemes(), ", "))
	}
	scheme = strings.ToLower(scheme)
	if !slices.Contains(Schemes(), scheme) {
		return nil, fmt.Errorf("there is no store %q; use one of %s", scheme, strings.Join(Schemes(), ", "))
	}
	u, err := url.Parse(scheme + "://" + rest)
	if err != nil {
		var detail *url.Error
		if errors.As(err, &detail) {
			err = detail.Err // without the address
		}
		return nil, fmt.Errorf("%s cannot be understood (percent-encode what has a meaning in addresses): %w", scheme+"://…", err)
	}
	p := &URI{Scheme: scheme, Host: u.Host, Path: strings.TrimPrefix(u.Path, "/")}
	if u.User != nil && scheme != HTTP && scheme != HTTPS {
		return nil, fmt.Errorf("%s://… has a user or a password: credentials come from the environment", scheme)
	}
	if err := p.parse(u); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *URI) parse(u *url.URL) error {
	switch p.Scheme {
	case File:
		return p.parseFile(u)
	case HTTP, HTTPS:
		p.URL = u
		if u.Host == "" {
			return p.expected("HOST/PATH")
		}
	case S3:
		p.Revision = u.Query().Get("versionId")
		return p.needKey("BUCKET/KEY")
	case GS:
		p.Revision = u.Fragment
		return p.needKey("BUCKET/OBJECT")
	case AzBlob:
		return p.parseAzBlob(u)
	case OCI:
		return p.parseOCI(u)
	case HF:
		return p.parseHF(u)
	}
	return nil
}

func (p *URI) expected(form string) error {
	return fmt.Errorf("expected %s://%s", p.Scheme, form)
}

func (p *URI) needKey(form string) error {
	if p.Host == "" || p.Path == "" {
		return p.expected(form)
	}
	return p.noDirectory()
}

// noDirectory refuses what ends in a slash.
func (p *URI) noDirectory() error {
	if strings.HasSuffix(p.Path, "/") {
		return fmt.Errorf("%s://… ends in a slash: a directory of a store has no digest; pack it (tar czf model.tar.gz -C DIR .), upload that and name it", p.Scheme)
	}
	return nil
}

func (p *URI) parseFile(u *url.URL) error {
	if p.Host != "" && p.Host != "localhost" || u.Path == "" {
		return p.expected("/PATH, with three slashes")
	}
	p.Host, p.Path = "", u.Path
	return p.noDirectory()
}

// parseAzBlob takes azblob://CONTAINER/BLOB, and the address of the account where
// that is not configured: no container has a dot in its name.
func (p *URI) parseAzBlob(u *url.URL) error {
	if u.Query().Has("sig") {
		p.SAS = u.RawQuery
	}
	if account, domain, ok := strings.Cut(p.Host, "."); ok {
		if !strings.HasPrefix(domain, "blob.") {
			return p.expected("CONTAINER/BLOB or azblob://ACCOUNT.blob.core.windows.net/CONTAINER/BLOB")
		}
		p.Account = account
		p.Host, p.Path, _ = strings.Cut(p.Path, "/")
	}
	return p.needKey("CONTAINER/BLOB")
}

var ociDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (p *URI) parseOCI(u *url.URL) error {
	repository, digest, pinned := strings.Cut(p.Path, "@")
	if i := strings.LastIndexByte(repository, ':'); i >= 0 {
		repository, p.Tag = repository[:i], repository[i+1:]
	}
	p.Repository, p.Digest, p.Path = repository, digest, strings.Trim(u.Fragment, "/")
	if p.Host == "" || repository == "" || pinned && !ociDigest.MatchString(digest) || p.Tag == "" && !pinned {
		return p.expected("REGISTRY/REPOSITORY:TAG[#PATH] or oci://REGISTRY/REPOSITORY@sha256:HEX[#PATH]")
	}
	return nil
}

func (p *URI) parseHF(u *url.URL) error {
	const form = "ORG/REPO[@REVISION]/PATH"
	// A revision may hold a slash if it is escaped: refs%2Fpr%2F1.
	name, file, ok := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	if !ok || name == "" || file == "" || p.Host == "" {
		return p.expected(form)
	}
	if err := p.noDirectory(); err != nil {
		return err
	}
	repo, revision, named := strings.Cut(name, "@")
	if !named {
		revision = "main"
	}
	var err error
	if p.Revision, err = url.PathUnescape(revision); err != nil || p.Revision == "" || repo == "" {
		return p.expected(form)
	}
	if p.Path, err = url.PathUnescape(file); err != nil {
		return p.expected(form)
	}
	p.Repository = p.Host + "/" + repo
	p.Host = ""
	return nil
}

// String returns the address without what is secret in it: passwords and
// signatures.
func (p *URI) String() string {
	switch p.Scheme {
	case HTTP, HTTPS:
		shown := *p.URL
		shown.RawQuery, shown.Fragment = "", ""
		return shown.Redacted()
	case OCI:
		s := "oci://" + p.Host + "/" + p.Repository
		if p.Tag != "" {
			s += ":" + p.Tag
		}
		if p.Digest != "" {
			s += "@" + p.Digest
		}
		if p.Path != "" {
			s += "#" + p.Path
		}
		return s
	case HF:
		return "hf://" + p.Repository + "@" + p.Revision + "/" + p.Path
	case AzBlob:
		if p.Account != "" {
			return "azblob://" + p.Account + "/" + p.Host + "/" + p.Path
		}
	case File:
		return "file://" + p.Path
	}
	return p.Scheme + "://" + p.Host + "/" + p.Path
}

// DefaultName is the name of a file whose address tells none.
const DefaultName = "model.pkl"

// FilePath returns the path of the file as people read it, with a slash in front:
// the last element is the file's name, the one before it tells what it is.
func (p *URI) FilePath() string {
	where := "/" + p.Path
	switch p.Scheme {
	case HF:
		where = "/" + p.Repository + "/" + p.Path
	case OCI:
		if p.Path == "" {
			where = "/" + p.Repository + "/"
		}
	}
	clean := path.Clean(where)
	if clean == "/" || strings.HasSuffix(where, "/") {
		return path.Join(clean, DefaultName)
	}
	return clean
}

// Archive reports whether the file is one that can be unpacked, by its name.
func (p *URI) Archive() bool {
	name := strings.ToLower(p.Path)
	return slices.ContainsFunc(Archives(), func(ending string) bool { return strings.HasSuffix(name, ending) })
}

// Archives returns the endings of archives' names.
func Archives() []string { return []string{".tar", ".tar.gz", ".tgz", ".zip"} }

// Escaped returns the path as it stands in an address.
func (p *URI) Escaped() string { return (&url.URL{Path: p.Path}).EscapedPath() }

// Pinned reports whether the address itself says which bytes are meant.
func (p *URI) Pinned() bool { return p.Scheme == OCI && p.Digest != "" }
