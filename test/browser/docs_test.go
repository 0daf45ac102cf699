// Package browser drives the interactive page of a running server in a headless
// Chromium. It is a module of its own, so that the browser's protocol stays out of
// the product's dependencies. Run it with `make test-browser`.
package browser

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestDocs(t *testing.T) {
	tests := map[string]struct {
		model  string
		shows  []string // what the page must say before anything is sent
		answer string   // what the prediction that is sent must answer
	}{
		"numbers without names": {
			model:  "../../examples/iris/model.pkl",
			shows:  []string{"iris on Mizzen", "RandomForestClassifier", "/predict", "/v2/models/iris/infer"},
			answer: `"prediction"`,
		},
		"a data frame's columns": {
			model:  "../../cmd/mizzen/testdata/table.joblib",
			shows:  []string{"table on Mizzen", "Pipeline", `"age"`, `"fare"`, `"rooms"`, `"sex"`, `"port"`, `"member"`},
			answer: `"prediction"`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := start(t, test.model)
			for where, base := range map[string]string{"at the root": server, "behind a prefix": prefixed(t, server)} {
				t.Run(where, func(t *testing.T) {
					page := open(t, base)
					for _, want := range test.shows {
						page.waitFor(want)
					}
					page.predict(test.answer)
					page.screenshot(strings.ReplaceAll(t.Name(), "/", "-") + ".png")
					page.checkRequests()
				})
			}
		})
	}
}

// TestDocsWithKey shows that the page takes an API key and sends it.
func TestDocsWithKey(t *testing.T) {
	server := start(t, "../../examples/iris/model.pkl", "API_KEY=open-sesame", "MIZZEN_AUTH_EXEMPT=probes,metrics,docs")
	page := open(t, server)
	page.waitFor("iris on Mizzen")
	page.authorize("open-sesame")
	page.predict(`"prediction"`)
	page.checkRequests()
}

// prefixed returns the address of a proxy that serves the server below a prefix, as
// an ingress that rewrites paths does.
func prefixed(t *testing.T, server string) string {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/team/models/", http.StripPrefix("/team/models", httputil.NewSingleHostReverseProxy(target)))
	return listen(t, mux) + "/team/models"
}

// page is an open browser tab.
type page struct {
	t    *testing.T
	ctx  context.Context
	base string
	log  *traffic
}

func open(t *testing.T, base string) *page {
	t.Helper()
	log := &traffic{}
	p := &page{t: t, ctx: newTab(t, log), base: base, log: log}
	// Without a slash at the end, as people type it.
	p.run("opening the page", chromedp.Navigate(base+"/docs"), chromedp.WaitVisible(chromedp.CSS(".opblock-tag")))
	return p
}

// run runs steps within a time that is ample for them.
func (p *page) run(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	get(p, what, chromedp.Steps(steps...))
}

// get runs one action, and returns its value.
func get[T any](p *page, what string, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		p.screenshot("failed.png")
		p.t.Fatalf("%s: %v\n%s", what, err, p.log)
	}
	return value
}

// waitFor waits until the page shows a text. It opens the prediction if it is not.
func (p *page) waitFor(text string) {
	p.t.Helper()
	p.run("waiting for "+text, chromedp.PollFunction[chromedp.Void](`(text) => {
		const op = document.querySelector("#operations-predict-predict");
		if (op && !op.classList.contains("is-open")) op.querySelector("button.opblock-summary-control").click();
		const areas = [...document.querySelectorAll("textarea")].map(a => a.value).join("\n");
		return (document.body.innerText + areas).includes(text);
	}`, chromedp.WithPollingArgs(text)))
}

// predict sends the example that the page offers, and waits for the answer.
func (p *page) predict(want string) {
	p.t.Helper()
	const operation = "#operations-predict-predict "
	p.waitFor("inputs")
	p.run("sending a prediction",
		chromedp.Click(chromedp.CSS(operation+"button.execute")),
		chromedp.WaitVisible(chromedp.CSS(operation+".live-responses-table .highlight-code")))
	status := get(p, "reading the status", chromedp.Text(chromedp.CSS(operation+".live-responses-table tr.response td.response-col_status")))
	body := get(p, "reading the answer", chromedp.Text(chromedp.CSS(operation+".live-responses-table .highlight-code")))
	if !strings.HasPrefix(strings.TrimSpace(status), "200") || !strings.Contains(body, want) {
		p.t.Errorf("the page shows %s %s; want 200 and %s", status, body, want)
	}
	if !p.log.sent(p.base + "/predict") {
		p.t.Errorf("no request went to %s/predict\n%s", p.base, p.log)
	}
}

// authorize types an API key into the page's dialogue.
func (p *page) authorize(key string) {
	p.t.Helper()
	p.run("giving the key",
		chromedp.Click(chromedp.CSS(".scheme-container button.authorize")),
		chromedp.SendKeys(chromedp.CSS(".auth-container input"), key),
		chromedp.Click(chromedp.CSS(".auth-btn-wrapper button.authorize")),
		chromedp.Click(chromedp.CSS(".auth-btn-wrapper button.btn-done")))
}

func (p *page) screenshot(name string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Logf("taking a screenshot: %v", err)
		return
	}
	dir := filepath.Join(os.TempDir(), "mizzen-browser")
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, png, 0o644); err != nil {
		p.t.Fatal(err)
	}
	p.t.Logf("screenshot: %s", path)
}

// checkRequests fails if the page asked anything of another origin, or complained.
func (p *page) checkRequests() {
	p.t.Helper()
	origin, err := url.Parse(p.base)
	if err != nil {
		p.t.Fatal(err)
	}
	requests, complaints := p.log.seen()
	if len(requests) == 0 {
		p.t.Error("no request was seen at all")
	}
	for _, r := range requests {
		u, err := url.Parse(r)
		if err != nil || u.Scheme != "data" && u.Scheme != "blob" && u.Host != origin.Host {
			p.t.Errorf("the page asked for %s", r)
		}
	}
	for _, c := range complaints {
		p.t.Errorf("the browser complained: %s", c)
	}
}
