package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// whose finds the request that an answer belongs to.
func (p *Peer) whose(m *message, of *Exchange) (id int64, ex *Exchange, remark string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, number, quoted := written(m.ID)
	if ex := p.waiting[id]; number && ex != nil {
		if quoted {
			return id, ex, fmt.Sprintf("its id was the string %s", m.ID)
		}
		return id, ex, ""
	}
	shown := short(string(m.ID), 100)
	if of != nil {
		for id, ex := range p.waiting {
			if ex == of {
				return id, ex, "its id was " + none(shown)
			}
		}
		return 0, nil, ""
	}
	if len(p.waiting) == 1 && len(m.Error) > 0 && (len(m.ID) == 0 || bytes.Equal(m.ID, null)) {
		for id, ex := range p.waiting {
			if ex.method == "server/discover" {
				return id, ex, "" // which servers of before refuse so
			}
		}
	}
	zero := number && id == 0 || len(m.ID) == 0 || string(m.ID) == `""`
	if zero && len(m.Result) > 0 && len(p.waiting) == 1 {
		for id, ex := range p.waiting {
			return id, ex, "its id was " + none(shown)
		}
	}
	return 0, nil, ""
}

func none(id string) string {
	if id == "" {
		return "missing"
	}
	return id
}

// written is a number that an id is or, quoted, holds.
func written(raw json.RawMessage) (id int64, number, quoted bool) {
	text := string(raw)
	if strings.HasPrefix(text, `"`) {
		if json.Unmarshal(raw, &text) != nil {
			return 0, false, false
		}
		quoted = true
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true, quoted
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f == float64(int64(f)) {
		return int64(f), true, quoted
	}
	return 0, false, quoted
}

// strayed is told of an answer to nobody.
func (p *Peer) strayed(m *message) {
	if id, number, _ := written(m.ID); number && p.askedWith(id) {
		return
	}
	if len(m.Error) > 0 && !bytes.Equal(m.Error, null) {
		p.stray(fmt.Sprintf("with an error for id %s: %s", none(short(string(m.ID), 100)), short(rpcError(m.Error).Message, bodyShown)), false)
		return
	}
	p.stray(fmt.Sprintf("with id %s, which nobody has asked with", none(short(string(m.ID), 100))), true)
}
