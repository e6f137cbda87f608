package ops

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// inlineHashes are the sources of a Content-Security-Policy that allow the
// inline elements of one kind in page, and no other (CSP level 3, section 2.3.1).
func inlineHashes(page []byte, element string) string {
	var sources []string
	open, end := []byte("<"+element+">"), []byte("</"+element+">")
	for rest := page; ; {
		_, after, found := bytes.Cut(rest, open)
		if !found {
			return strings.Join(sources, " ")
		}
		body, tail, _ := bytes.Cut(after, end)
		sum := sha256.Sum256(body)
		sources = append(sources, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
		rest = tail
	}
}

func wantsJSON(h http.Header) bool {
	accept := strings.ToLower(strings.Join(h["Accept"], ","))
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}
