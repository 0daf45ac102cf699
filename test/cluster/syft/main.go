// Command syft is syft without SQLite, by which it reads what RPM packages an image has.
package main

import (
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/anchore/clio"
	"github.com/anchore/syft/cmd/syft/cli"
)

func main() {
	sql.Register("sqlite", leftOut{}) // syft wants one to be there
	cli.Application(clio.Identification{Name: "syft", Version: "test"}).Run()
}

type leftOut struct{}

func (leftOut) Open(string) (driver.Conn, error) {
	return nil, errors.New("this build of syft is without SQLite")
}
