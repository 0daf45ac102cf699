package docs

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// curl does what the pages ask of curl, so that the tests need Go alone.
func curl(args []string) error {
	method, url, body := "", "", io.Reader(nil)
	header := http.Header{}
	include := false
	for i := 0; i < len(args); i++ {
		next := func() string {
			if i++; i < len(args) {
				return args[i]
			}
			return ""
		}
		switch arg := args[i]; arg {
		case "-s", "-sS":
		case "-i":
			include = true
		case "-X":
			method = next()
		case "-H":
			name, value, _ := strings.Cut(next(), ":")
			header.Set(name, strings.TrimSpace(value))
		case "-d", "--data-binary":
			data := next()
			if file, ok := strings.CutPrefix(data, "@"); ok && file == "-" {
				body = os.Stdin
				continue
			} else if ok {
				content, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				data = string(content)
			}
			body = strings.NewReader(data)
			if header.Get("Content-Type") == "" {
				header.Set("Content-Type", "application/x-www-form-urlencoded") // as curl does
			}
		default:
			if strings.HasPrefix(arg, "-") {
				return fmt.Errorf("curl: the tests do not know %s", arg)
			}
			url = arg
		}
	}
	if method == "" {
		method = http.MethodGet
		if body != nil {
			method = http.MethodPost
		}
	}
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return err
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if include {
		fmt.Printf("%s %s\n", resp.Proto, resp.Status)
		resp.Header.Write(os.Stdout)
		fmt.Println()
	}
	_, err = io.Copy(os.Stdout, resp.Body)
	return err
}
