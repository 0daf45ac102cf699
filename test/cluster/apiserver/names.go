package apiserver

import (
	"regexp"
	"strings"
)

// maxNamespacePrefix leaves room in the 63 characters of a namespace's name for what
// the server adds.
const maxNamespacePrefix = 50

// namespacePrefix makes of a test's name what a namespace's name may start with.
func namespacePrefix(test string) string {
	name := regexp.MustCompile("[^a-z0-9]+").ReplaceAllString(strings.ToLower(test), "-")
	return strings.Trim(name[:min(len(name), maxNamespacePrefix)], "-") + "-"
}
