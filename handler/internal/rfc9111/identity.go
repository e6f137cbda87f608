package rfc9111

import (
	"slices"
	"strings"
)

// identityWords are the words whose presence in the name of a request field
// says that the field tells who asks: "X-Forwarded-User", "Api-Key",
// "Cf-Access-Jwt-Assertion". Fields of this kind are too many for a list of names.
var identityWords = wordSet(`account apikey assertion auth authentication authenticated authorization cert clientcert
	cookie credential credentials csrf customer email group groups identity impersonate jwt login member oidc org
	organization passport password principal role roles saml secret session sessionid sid sso subject tenant token uid
	user userid username webauth workspace xsrf`)

func wordSet(List string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(List) {
		set[word] = true
	}
	return set
}

// identityEnds are ends of words that say the same: "X-Accesstoken".
var identityEnds = []string{"token", "apikey", "userid", "sessionid", "jwt", "cert", "principal"}

// harmlessFields have such a word in their name and do not tell who asks, or go
// with every request of a platform.
var harmlessFields = []string{"User-Agent", "Sec-Fetch-User", "X-Appengine-User-Ip", "X-Vercel-Oidc-Token"}

// TellsWho is asked for each field of each request; names are in canonical case.
func TellsWho(name string) bool {
	switch name {
	case "Accept", "Accept-Encoding", "Accept-Language", "User-Agent", "Connection", "Cache-Control":
		return false
	}
	if slices.Contains(harmlessFields, name) || strings.HasSuffix(name, "User-Agent") {
		return false
	}
	for previous := ""; name != ""; {
		end := strings.IndexAny(name, "-_")
		if end < 0 {
			end = len(name)
		}
		word := name[:end]
		if saysWho(word) || strings.EqualFold(word, "key") && strings.EqualFold(previous, "api") {
			return true
		}
		previous, name = word, name[min(end+1, len(name)):]
	}
	return false
}

func saysWho(word string) bool {
	var buf [16]byte
	if len(word) > len(buf) {
		word = word[len(word)-len(buf):] // its end may still say it
	}
	lower := buf[:len(word)]
	for i := range lower {
		lower[i] = word[i] | 0x20 // letters only matter
	}
	return identityWords[string(lower)] || slices.ContainsFunc(identityEnds, func(end string) bool {
		return len(lower) >= len(end) && string(lower[len(lower)-len(end):]) == end
	})
}
