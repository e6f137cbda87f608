package rfc9111

// Refusal says why a response is not stored; "" means that it may be. The
// words appear in Cache-Status as its detail.
type Refusal string

const (
	RefuseStatus    Refusal = "status"
	RefuseNoStore   Refusal = "no-store"
	RefusePrivate   Refusal = "private"
	RefuseCookie    Refusal = "set-cookie"
	RefuseUser      Refusal = "credentials"
	RefuseVary      Refusal = "vary"
	RefuseLifetime  Refusal = "no-lifetime"
	RefuseBroken    Refusal = "unparsable"
	RefuseStream    Refusal = "stream"
	RefuseSize      Refusal = "oversized"
	RefuseCut       Refusal = "incomplete"
	RefuseUpgrade   Refusal = "upgrade"
	RefuseHead      Refusal = "head"
	RefuseTime      Refusal = "timeout"
	RefuseNoCache   Refusal = "no-cache"
	RefuseMaxAge    Refusal = "max-age"
	RefuseExpired   Refusal = "expires"
	RefuseTargeted  Refusal = "targeted"
	RefuseNonce     Refusal = "csp-nonce"
	RefuseVariants  Refusal = "variants"
	RefuseForbidden Refusal = "request-no-store"
)
