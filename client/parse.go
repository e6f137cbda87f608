package client

import (
	"errors"

	"github.com/cldcde/restash/client/command"
)

// parse reads the body by its content type and first byte: a server may
// answer in JSON although RESP2 was asked for, above all with an error.
func (x *exchange) parse(body []byte, contentType string) error {
	inJSON := !x.resp2 || startsJSON(body)
	if len(body) == 0 || inJSON && foreign(contentType) && !startsJSON(body) {
		return errSyntax
	}
	if x.batch == nil {
		return x.parseOne(body, inJSON)
	}
	return x.parseMany(body, inJSON)
}

func (x *exchange) parseOne(body []byte, inJSON bool) (err error) {
	if inJSON {
		x.one, err = scanOne(body, !x.resp2)
	} else {
		x.one, err = respOne(body)
	}
	if err == nil && x.one.Kind == command.KindError {
		x.refused = &x.one
	}
	return err
}

func (x *exchange) parseMany(body []byte, inJSON bool) (err error) {
	if inJSON {
		x.many, x.refused, err = scanBatch(body, len(x.batch), !x.resp2)
	} else {
		x.many, err = respBatch(body, len(x.batch))
		if err == nil && len(x.many) == 1 && len(x.batch) > 1 && x.many[0].Kind == command.KindError {
			x.many, x.refused = nil, &x.many[0]
		}
	}
	if err == nil && x.refused == nil && len(x.many) != len(x.batch) {
		return errCount
	}
	return err
}

var errCount = errors.New("the number of replies is not the number of commands")
