package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"gopkg.in/ini.v1"
)

// awsIdentity is who asks AWS.
type awsIdentity struct {
	creds *credentials.Credentials // nil: nobody in particular
	// guess is true if it is sought where there may be nobody.
	guess  bool
	region string // of the profile, if that names one
}

// awsIdentity looks where AWS's own libraries do, in their order: the environment, a
// web identity, the profile of the shared files, the container's and the machine's
// role. It is a guess that there is the last one.
func (e *environment) awsIdentity() (awsIdentity, error) {
	if id, secret := e.get("AWS_ACCESS_KEY_ID"), e.get("AWS_SECRET_ACCESS_KEY"); id != "" && secret != "" {
		return awsIdentity{creds: credentials.NewStaticV4(id, secret, e.get("AWS_SESSION_TOKEN"))}, nil
	}
	if token := e.get("AWS_WEB_IDENTITY_TOKEN_FILE"); token != "" {
		return awsIdentity{creds: credentials.New(e.awsWebIdentity(token, e.get("AWS_ROLE_ARN"), e.get("AWS_ROLE_SESSION_NAME")))}, nil
	}
	profiles, err := e.awsProfiles()
	if err != nil {
		return awsIdentity{}, err
	}
	provider, err := profiles.provider(profiles.chosen, nil)
	if err != nil {
		return awsIdentity{}, err
	}
	who := awsIdentity{region: profiles.all[profiles.chosen]["region"]}
	switch {
	case provider != nil:
	case e.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI") != "":
		provider = &credentials.IAM{}
	case strings.EqualFold(e.get("AWS_EC2_METADATA_DISABLED"), "true"):
		provider, who.guess = noCredentials{}, true
	default:
		provider, who.guess = e.awsMachine(), true
	}
	who.creds = credentials.New(provider)
	return who, nil
}

// awsWebIdentity is a role for which a token is exchanged: IRSA's.
func (e *environment) awsWebIdentity(token, role, session string) *credentials.IAM {
	i := &credentials.IAM{Region: e.awsRegion(), Endpoint: e.get("AWS_ENDPOINT_URL_STS")}
	i.EKSIdentity.TokenFile, i.EKSIdentity.RoleARN, i.EKSIdentity.RoleSessionName = token, role, session
	return i
}

// awsMachine is the role of the machine.
func (e *environment) awsMachine() *credentials.IAM {
	return &credentials.IAM{Endpoint: strings.TrimSuffix(e.get("AWS_EC2_METADATA_SERVICE_ENDPOINT"), "/")}
}

// awsRegion is what the environment says, else empty.
func (e *environment) awsRegion() string { return e.get("AWS_REGION", "AWS_DEFAULT_REGION") }

// awsProfiles are the profiles of AWS's shared files, by name, with their settings.
type awsProfiles struct {
	env    *environment
	chosen string
	named  bool // by somebody; else it is the default, which need not be there
	all    map[string]map[string]string
	files  []string
}

// awsProfiles reads the shared files. That of credentials is stronger; in the other one
// a profile's section is called "profile NAME".
func (e *environment) awsProfiles() (*awsProfiles, error) {
	p := &awsProfiles{env: e, chosen: e.get("AWS_PROFILE", "AWS_DEFAULT_PROFILE"), all: map[string]map[string]string{}}
	p.named = p.chosen != ""
	if !p.named {
		p.chosen = "default"
	}
	for _, f := range []struct{ variable, name, prefix string }{
		{"AWS_CONFIG_FILE", "config", "profile "},
		{"AWS_SHARED_CREDENTIALS_FILE", "credentials", ""},
	} {
		path := e.get(f.variable)
		if path == "" {
			if path = filepath.Join(e.home(), ".aws", f.name); e.home() == "" || !exists(path) {
				continue
			}
		}
		if err := p.read(path, f.prefix); err != nil {
			return nil, &CredentialsError{Help: s3Help, Err: err}
		}
	}
	return p, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (p *awsProfiles) read(path, prefix string) error {
	text, err := readSmall(path)
	if err != nil {
		return err
	}
	file, err := ini.LoadSources(ini.LoadOptions{SkipUnrecognizableLines: true}, []byte(text))
	if err != nil {
		return errors.New(path + " is no file of profiles") // the cause may quote it
	}
	p.files = append(p.files, path)
	for _, section := range file.Sections() {
		name, ok := strings.CutPrefix(section.Name(), prefix)
		if !ok && section.Name() != "default" {
			continue
		}
		name = strings.TrimSpace(name)
		if p.all[name] == nil {
			p.all[name] = map[string]string{}
		}
		maps.Copy(p.all[name], section.KeysHash())
	}
	return nil
}

// provider gives the credentials of a profile; nil if it has none. through are the
// profiles that need them for their roles: one may name itself for its own keys.
func (p *awsProfiles) provider(name string, through []string) (credentials.Provider, error) {
	profile, ok := p.all[name]
	itself := len(through) > 0 && through[len(through)-1] == name
	switch {
	case !ok && (p.named || len(through) > 0):
		return nil, p.wrong(name, "there is none of that name in "+strings.Join(p.files, " and "))
	case !itself && slices.Contains(through, name):
		return nil, p.wrong(name, "its source_profile leads back to it")
	case !itself && profile["role_arn"] != "":
		return p.role(name, append(through, name))
	case profile["aws_access_key_id"] != "" && profile["aws_secret_access_key"] != "":
		return keys(profile["aws_access_key_id"], profile["aws_secret_access_key"], profile["aws_session_token"]), nil
	case profile["sso_session"] != "" || profile["sso_start_url"] != "" || profile["credential_process"] != "":
		return nil, p.wrong(name, "it signs in by SSO or by a program; let AWS's own tool do that: eval \"$(aws configure export-credentials --profile "+name+" --format env)\"")
	}
	return nil, nil //nolint:nilnil // there is nothing, and nothing is wrong
}

func keys(id, secret, token string) *credentials.Static {
	return &credentials.Static{Value: credentials.Value{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token, SignerType: credentials.SignatureV4}}
}

func (p *awsProfiles) wrong(name, what string) error {
	return &CredentialsError{Help: s3Help, Err: fmt.Errorf("the profile %q cannot be used: %s", name, what)}
}

// role is what a profile with role_arn assumes, by the credentials of another one, of
// where it runs, or of a token.
func (p *awsProfiles) role(name string, through []string) (credentials.Provider, error) {
	profile := p.all[name]
	if profile["mfa_serial"] != "" {
		return nil, p.wrong(name, "it asks for a second factor, and nobody is there to give it")
	}
	if token := profile["web_identity_token_file"]; token != "" {
		return p.env.awsWebIdentity(token, profile["role_arn"], profile["role_session_name"]), nil
	}
	base, err := p.source(name, profile, through)
	if err != nil {
		return nil, err
	}
	region := first(p.env.awsRegion(), profile["region"], p.all[p.chosen]["region"], defaultRegion)
	r := &assumedRole{base: credentials.New(base)}
	r.STSEndpoint = first(p.env.get("AWS_ENDPOINT_URL_STS"), "https://sts."+awsDomain(region))
	r.Options.Location = region
	r.Options.RoleARN, r.Options.ExternalID = profile["role_arn"], profile["external_id"]
	r.Options.RoleSessionName = first(profile["role_session_name"], p.env.get("AWS_ROLE_SESSION_NAME"), "mizzen")
	r.Options.DurationSeconds, _ = strconv.Atoi(profile["duration_seconds"]) // 0: what AWS does
	return r, nil
}

// source is whose credentials a role is assumed by.
func (p *awsProfiles) source(name string, profile map[string]string, through []string) (credentials.Provider, error) {
	if from := profile["source_profile"]; from != "" {
		base, err := p.provider(from, through)
		if err == nil && base == nil {
			err = p.wrong(from, "it has no credentials")
		}
		return base, err
	}
	switch profile["credential_source"] {
	case "Environment":
		return keys(p.env.get("AWS_ACCESS_KEY_ID"), p.env.get("AWS_SECRET_ACCESS_KEY"), p.env.get("AWS_SESSION_TOKEN")), nil
	case "EcsContainer":
		return &credentials.IAM{}, nil
	case "Ec2InstanceMetadata":
		return p.env.awsMachine(), nil
	}
	return nil, p.wrong(name, "it has role_arn, but neither source_profile, credential_source nor web_identity_token_file says who assumes it")
}

// assumedRole gives the credentials of a role, which it gets by those of somebody who
// may have it.
type assumedRole struct {
	credentials.STSAssumeRole
	base *credentials.Credentials
}

// RetrieveWithCredContext implements [credentials.Provider].
func (r *assumedRole) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	v, err := r.base.GetWithContext(cc)
	if err != nil {
		return credentials.Value{}, err
	}
	r.Options.AccessKey, r.Options.SecretKey, r.Options.SessionToken = v.AccessKeyID, v.SecretAccessKey, v.SessionToken
	return r.STSAssumeRole.RetrieveWithCredContext(cc)
}

// Retrieve implements [credentials.Provider].
func (r *assumedRole) Retrieve() (credentials.Value, error) {
	return r.RetrieveWithCredContext(&credentials.CredContext{Client: r.Client, Context: context.Background()})
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
