package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"mizzen.dev/internal/store/uri"
)

const (
	// azVersion is that of the Blob service's REST interface.
	azVersion = "2023-11-03"
	azScope   = "https://storage.azure.com/.default"
	azHelp    = "set AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or give the pod's ServiceAccount an identity (workload identity); for a public container use --anonymous (MIZZEN_ANONYMOUS=true)"
)

// developer is the account of the Azurite emulator, which everybody knows.
const (
	developerAccount  = "devstoreaccount1"
	developerKey      = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	developerEndpoint = "http://127.0.0.1:10000/" + developerAccount
)

// azblob is a blob of Azure Blob Storage.
type azblob struct {
	account string
	key     []byte // of the account; nil: none
}

func newAzBlob(_ context.Context, e *environment, u *uri.URI) (source, error) {
	parts := e.azureParts()
	account := first(u.Account, parts["AccountName"], e.get("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"))
	endpoint := first(parts["BlobEndpoint"], e.get("AZURE_STORAGE_SERVICE_ENDPOINT"))
	if endpoint == "" {
		if account == "" {
			return nil, &CredentialsError{Help: azHelp, Err: errors.New("no storage account is named: set AZURE_STORAGE_ACCOUNT, or write azblob://ACCOUNT.blob.core.windows.net/CONTAINER/BLOB")}
		}
		endpoint = "https://" + account + ".blob." + first(parts["EndpointSuffix"], "core.windows.net")
	}
	var escaped []string
	for element := range strings.SplitSeq(u.Path, "/") {
		escaped = append(escaped, url.PathEscape(element))
	}
	b := &azblob{account: account}
	s := &httpSource{
		client: e.client,
		url:    strings.TrimSuffix(endpoint, "/") + "/" + u.Host + "/" + strings.Join(escaped, "/"),
		resume: ifMatch,
	}
	err := b.credentials(e, u, parts, s)
	return s, err
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// credentials chooses the first that is configured: a signature (SAS), the
// account's key, an identity.
func (b *azblob) credentials(e *environment, u *uri.URI, parts map[string]string, s *httpSource) error {
	s.prepare = b.version
	sas := first(u.SAS, parts["SharedAccessSignature"], e.get("AZURE_STORAGE_SAS_TOKEN"))
	key := first(parts["AccountKey"], e.get("AZURE_STORAGE_KEY"))
	switch {
	case e.Anonymous:
	case sas != "":
		s.url += "?" + strings.TrimPrefix(sas, "?")
	case key != "":
		raw, err := base64.StdEncoding.DecodeString(key)
		if err != nil {
			return &CredentialsError{Help: "AZURE_STORAGE_KEY is base64", Err: errors.New("the account's key cannot be decoded")}
		}
		if b.account == "" {
			return &CredentialsError{Help: "set AZURE_STORAGE_ACCOUNT", Err: errors.New("there is a key, but no storage account")}
		}
		b.key = raw
		s.prepare = b.sign
	default:
		token := &bearer{find: e.azureToken, help: azHelp}
		s.prepare = func(ctx context.Context, r *http.Request) error {
			if err := b.version(ctx, r); err != nil {
				return err
			}
			return token.authorize(ctx, r)
		}
	}
	return nil
}

func (b *azblob) version(_ context.Context, r *http.Request) error {
	r.Header.Set("X-Ms-Version", azVersion)
	r.Header.Set("X-Ms-Date", time.Now().UTC().Format(http.TimeFormat))
	return nil
}

// sign signs the request with the account's key, as
// https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
// says.
func (b *azblob) sign(ctx context.Context, r *http.Request) error {
	if err := b.version(ctx, r); err != nil {
		return err
	}
	lines := []string{r.Method}
	for _, name := range []string{"Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Type", "Date",
		"If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range"} {
		lines = append(lines, r.Header.Get(name))
	}
	var own []string
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Ms-") {
			own = append(own, strings.ToLower(name)+":"+strings.TrimSpace(r.Header.Get(name)))
		}
	}
	slices.Sort(own)
	lines = append(lines, own...)
	resource := "/" + b.account + r.URL.EscapedPath()
	query := r.URL.Query()
	var names []string
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := query[name]
		slices.Sort(values)
		resource += "\n" + strings.ToLower(name) + ":" + strings.Join(values, ",")
	}
	lines = append(lines, resource)
	mac := hmac.New(sha256.New, b.key)
	mac.Write([]byte(strings.Join(lines, "\n")))
	r.Header.Set("Authorization", "SharedKey "+b.account+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}

// azureParts reads AZURE_STORAGE_CONNECTION_STRING: name=value;name=value.
func (e *environment) azureParts() map[string]string {
	parts := map[string]string{}
	for part := range strings.SplitSeq(e.get("AZURE_STORAGE_CONNECTION_STRING"), ";") {
		if name, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok {
			parts[name] = value
		}
	}
	if strings.EqualFold(parts["UseDevelopmentStorage"], "true") {
		parts["AccountName"], parts["AccountKey"], parts["BlobEndpoint"] = developerAccount, developerKey, developerEndpoint
	}
	return parts
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// azureToken finds an identity: the pod's (workload identity), an application's
// with its password, or the machine's.
func (e *environment) azureToken(ctx context.Context) (oauth2.TokenSource, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, e.lookup)
	tenant, client := e.get("AZURE_TENANT_ID"), e.get("AZURE_CLIENT_ID")
	file, secret := e.get("AZURE_FEDERATED_TOKEN_FILE"), e.get("AZURE_CLIENT_SECRET")
	if tenant == "" || client == "" || file == "" && secret == "" {
		return &machineIdentity{ctx: ctx, env: e, client: client}, nil
	}
	authority := strings.TrimSuffix(first(e.get("AZURE_AUTHORITY_HOST"), "https://login.microsoftonline.com"), "/")
	config := &clientcredentials.Config{
		ClientID:  client,
		TokenURL:  authority + "/" + url.PathEscape(tenant) + "/oauth2/v2.0/token",
		Scopes:    []string{azScope},
		AuthStyle: oauth2.AuthStyleInParams,
	}
	if file == "" {
		config.ClientSecret = secret
		return config.TokenSource(ctx), nil
	}
	assertion, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	config.EndpointParams = url.Values{"client_assertion_type": {assertionType}, "client_assertion": {assertion}}
	return config.TokenSource(ctx), nil
}

// machineIdentity asks the machine's metadata service.
type machineIdentity struct {
	ctx    context.Context //nolint:containedctx // oauth2.TokenSource has no other place for it
	env    *environment
	client string
}

// Token implements [oauth2.TokenSource].
func (m *machineIdentity) Token() (*oauth2.Token, error) {
	ctx, cancel := lookupContext(m.ctx, true)
	defer cancel()
	query := url.Values{"api-version": {"2018-02-01"}, "resource": {"https://storage.azure.com/"}}
	if m.client != "" {
		query.Set("client_id", m.client)
	}
	host := first(strings.TrimSuffix(m.env.get("AZURE_POD_IDENTITY_AUTHORITY_HOST"), "/"), "http://169.254.169.254")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, host+"/metadata/identity/oauth2/token?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Metadata", "true")
	resp, err := m.env.lookup.Do(r)
	if err != nil {
		return nil, errNoMetadata
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, statusError(resp)
	}
	var answer struct {
		AccessToken string      `json:"access_token"`
		TokenType   string      `json:"token_type"`
		ExpiresIn   json.Number `json:"expires_in"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, maxCredential)).Decode(&answer); err != nil {
		return nil, fmt.Errorf("reading the machine's identity: %w", err)
	}
	seconds, _ := answer.ExpiresIn.Int64()
	return &oauth2.Token{AccessToken: answer.AccessToken, TokenType: answer.TokenType, Expiry: time.Now().Add(time.Duration(seconds) * time.Second)}, nil
}
