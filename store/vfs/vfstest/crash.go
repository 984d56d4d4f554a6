package vfstest

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Aftermath is the fate of unsynced data in a crash.
type Aftermath int

// The aftermaths: what becomes of the writes that were not synced.
const (
	// Lose all of it.
	Lose Aftermath = iota
	// Keep all of it.
	Keep
	// Tear it: of each write some sectors are kept, of the changes of names a
	// beginning; writes may be carried out twice.
	Tear
)

// AfterCrash is a copy of the disk as the machine finds it when it comes back from a
// crash at this moment.
func (d *Disk) AfterCrash(a Aftermath, random *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	after := NewDisk()
	after.free = d.free
	for dir := range d.dirs {
		after.dirs[dir] = true
	}
	names := map[string]*inode{}
	maps.Copy(names, d.durable)
	kept := d.renames
	switch a {
	case Lose:
		kept = nil
	case Tear:
		kept = kept[:random.IntN(len(kept)+1)]
	case Keep:
	}
	for _, r := range kept {
		r.apply(names)
	}
	for name, ino := range names {
		content := ino.after(a, random)
		after.names[name] = &inode{name: name, data: content, durable: slices.Clone(content), modified: ino.modified}
		after.durable[name] = after.names[name]
	}
	return after
}

func (r rename) apply(names map[string]*inode) {
	if r.from != "" {
		delete(names, r.from)
	}
	if r.to != "" {
		names[r.to] = r.ino
	}
}

// after is a file's content after a crash.
func (ino *inode) after(a Aftermath, random *rand.Rand) []byte {
	content := slices.Clone(ino.durable)
	if a == Lose {
		return content
	}
	pending := ino.pending
	if a == Tear && len(pending) > 0 && random.IntN(4) == 0 {
		pending = append(slices.Clone(pending), pending[len(pending)-1]) // carried out twice
	}
	for _, w := range pending {
		if a == Keep || w.b == nil {
			content = w.apply(content)
			continue
		}
		const sector = 512
		for at := int64(0); at < int64(len(w.b)); {
			end := min((w.off+at)/sector*sector+sector-w.off, int64(len(w.b)))
			if random.IntN(2) == 0 {
				content = write{w.off + at, w.b[at:end]}.apply(content)
			}
			at = end
		}
	}
	return content
}

func (w write) apply(content []byte) []byte {
	if w.b == nil {
		if int64(len(content)) > w.off {
			return content[:w.off]
		}
		return append(content, make([]byte, w.off-int64(len(content)))...)
	}
	if need := w.off + int64(len(w.b)); int64(len(content)) < need {
		content = append(content, make([]byte, need-int64(len(content)))...)
	}
	copy(content[w.off:], w.b)
	return content
}
