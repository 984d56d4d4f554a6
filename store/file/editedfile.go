package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store/journal"
)

// editedFile decodes a jobs.json strictly and knows where in it something stands.
type editedFile struct {
	path  string
	data  []byte
	kinds v1.KindSet
}

// editedObject is an object with the offset at which its text starts.
type editedObject struct {
	obj    v1.Object
	offset int64
}

// refuse is the error for what stands at offset.
func (d *editedFile) refuse(offset int64, cause, advice string) error {
	before := d.data[:min(offset, int64(len(d.data)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return &journal.Corrupt{File: d.path, Offset: offset, Cause: fmt.Sprintf("line %d, column %d: %s", line, column, cause), Advice: advice}
}

// decode reads the whole file.
func (d *editedFile) decode() (objects []editedObject, c *checkpoint, err error) {
	dec := json.NewDecoder(bytes.NewReader(d.data))
	fail := func(err error) error {
		offset := dec.InputOffset()
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			offset = max(syntax.Offset-1, 0)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			offset, err = int64(len(d.data)), errors.New("the file ends too soon")
		}
		return d.refuse(offset, err.Error(), adviceEdited)
	}
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, fail(errors.Join(err, errors.New("not a JSON object")))
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, nil, fail(err)
		}
		switch name := t.(string); name {
		case "apiVersion", "kind":
			var value string
			want := map[string]string{"apiVersion": "v1", "kind": "List"}[name]
			if err := dec.Decode(&value); err != nil {
				return nil, nil, fail(err)
			}
			if value != want {
				return nil, nil, fail(fmt.Errorf("%s is %q, it must be %q", name, value, want))
			}
		case "metadata":
			var value struct {
				ResourceVersion string `json:"resourceVersion"`
			}
			err = dec.Decode(&value)
		case "checkpoint":
			c = new(checkpoint)
			dec.DisallowUnknownFields()
			if err = dec.Decode(c); err == nil && c.Format > snapshotFormat {
				return nil, nil, d.refuse(dec.InputOffset(), newerFormat(c.Format), adviceNewer)
			}
		case "items":
			objects, err = d.items(dec)
			if _, ok := errors.AsType[*journal.Corrupt](err); ok {
				return nil, nil, err
			}
		case "jobs":
			return nil, nil, d.oldFormat()
		default:
			err = fmt.Errorf("unknown member %q", name)
		}
		if err != nil {
			return nil, nil, fail(err)
		}
	}
	if err := d.end(dec); err != nil {
		return nil, nil, fail(err)
	}
	return objects, c, nil
}

// end reads the closing brace and refuses what follows it.
func (d *editedFile) end(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return err
	}
	if rest := d.data[dec.InputOffset():]; len(bytes.TrimSpace(rest)) > 0 {
		return errors.New("there is more after the end of the list")
	}
	return nil
}

// oldFormat is the error for a file {"jobs":[…]}, which is whole, but no store's.
func (d *editedFile) oldFormat() error {
	return fmt.Errorf("%s is a file of the old format {\"jobs\":[…]}, which import takes over into a new folder: jobwright import %s --data-dir NEW; nothing was changed", d.path, d.path)
}

// items reads the list's objects.
func (d *editedFile) items(dec *json.Decoder) (objects []editedObject, err error) {
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.Join(err, errors.New("items is not an array"))
	}
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, err
		}
		offset := dec.InputOffset() - int64(len(raw))
		obj, err := d.item(raw, offset)
		if err != nil {
			return nil, err
		}
		objects = append(objects, editedObject{obj, offset})
	}
	_, err = dec.Token()
	return objects, err
}

// item decodes one object strictly. All of its problems are reported at once.
func (d *editedFile) item(raw []byte, offset int64) (v1.Object, error) {
	document, err := strict.JSON(raw)
	var obj v1.Object
	if err == nil {
		obj, err = document.Object(d.kinds)
	}
	problems, ok := errors.AsType[strict.Problems](err)
	if !ok {
		return obj, err
	}
	var causes []string
	for i, p := range problems {
		at := within(raw, p)
		if i == 0 {
			p.Line, offset = 0, offset+at
		} else {
			p.Line = 1 + bytes.Count(d.data[:offset-within(raw, problems[0])+at], []byte("\n"))
		}
		causes = append(causes, p.String())
	}
	return nil, d.refuse(offset, strings.Join(causes, "; "), adviceEdited)
}

// within is the offset in text at which a problem stands.
func within(text []byte, p strict.Problem) int64 {
	at := 0
	for range p.Line - 1 {
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	return int64(max(min(at+p.Column-1, len(text)), 0))
}
