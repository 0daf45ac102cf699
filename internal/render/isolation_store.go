package render

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mizzen.dev/internal/store/uri"
)

// storePorts are where the init container fetches from; none if nothing is fetched.
func (r *renderer) storePorts() []int32 {
	raw := r.spec.Source.URI
	if raw == "" {
		return nil
	}
	u, err := uri.Parse(raw)
	if err != nil { // the init container will say so; it reaches nothing
		return nil
	}
	var found []int32
	add := func(port int32) {
		if !slices.Contains(found, port) {
			found = append(found, port)
		}
	}
	switch u.Scheme {
	case uri.HTTP, uri.HTTPS:
		add(portOf(raw, 0))
	case uri.OCI:
		add(portOf("https://"+u.Host, 0))
	default:
		add(r.endpointPort(endpointVariables(u.Scheme)))
	}
	for _, proxy := range proxyVariables() {
		if address := string(r.spec.Config[proxy]); address != "" {
			add(portOf(address, 0))
		}
	}
	slices.Sort(found)
	return found
}

// LeadsToStore says of a name in config that its value is an address that pods must
// reach to fetch models: its port is one that the NetworkPolicy opens.
func LeadsToStore(name string) bool {
	for _, scheme := range []string{uri.S3, uri.GS, uri.AzBlob, uri.HF} {
		if slices.Contains(endpointVariables(scheme), name) {
			return true
		}
	}
	return slices.Contains(proxyVariables(), name)
}

// endpointVariables are those that move a store to another address.
func endpointVariables(scheme string) []string {
	switch scheme {
	case uri.S3:
		return []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}
	case uri.GS:
		return []string{"STORAGE_EMULATOR_HOST"}
	case uri.AzBlob:
		return []string{"AZURE_STORAGE_SERVICE_ENDPOINT"}
	case uri.HF:
		return []string{"HF_ENDPOINT"}
	}
	return nil
}

func proxyVariables() []string {
	return []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"}
}

// endpointPort is the port of a store of a name: 443, unless config moves it. What a
// Secret says cannot be seen here.
func (r *renderer) endpointPort(variables []string) int32 {
	for _, name := range variables {
		if address := string(r.spec.Config[name]); address != "" {
			return portOf(address, 0)
		}
	}
	return httpsPort
}

// portOf is the port of an address: the one in it, the fallback if that is not 0, or
// the scheme's.
func portOf(address string, fallback int32) int32 {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err == nil {
		if n, err := strconv.ParseUint(u.Port(), 10, 16); err == nil && n > 0 {
			return int32(n)
		}
	}
	switch {
	case fallback != 0:
		return fallback
	case err == nil && u.Scheme == "http":
		return httpPort
	}
	return httpsPort
}
