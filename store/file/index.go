package file

import (
	"slices"
	"sync"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store/table"
)

// index is the state that readers see: every object's entry, and the orders and groups in which
// lists are asked for. It is guarded by the store's lock.
type index struct {
	kinds map[string]*kindIndex
}

// kindIndex is the index of one kind.
type kindIndex struct {
	byKey *table.Table[objectKey, entry]
	// byName and byUID hold every object of the kind.
	byName, byUID *tree
	// groups hold the objects of one workspace, phase and label by uid.
	groups map[group]*tree
	// spaces are the workspaces that have objects with a label; the empty label
	// stands for any.
	spaces map[label]map[string]int
	// phases are those that an object had once.
	phases map[v1.JobPhase]bool
	// loading is every entry that was read while the store is opened.
	loading []*entry
}

// group holds the properties that the objects of a groups tree share; the empty label stands
// for any.
type group struct {
	namespace string
	phase     v1.JobPhase
	label     label
}

func newIndex(kinds v1.KindSet) *index {
	x := &index{kinds: map[string]*kindIndex{}}
	for _, k := range kinds {
		x.kinds[k.Name] = &kindIndex{
			byKey:  table.New(hashKey, (*entry).objectKey),
			byName: newTree(byName), byUID: newTree(byUID),
			groups: map[group]*tree{}, spaces: map[label]map[string]int{},
			phases: map[v1.JobPhase]bool{},
		}
	}
	return x
}

// get returns the entry of an object, or nil.
func (x *index) get(kind string, key objectKey) *entry {
	k := x.kinds[kind]
	if k == nil {
		return nil
	}
	return k.byKey.Get(key)
}

// put adds e or replaces the version before it.
func (x *index) put(e *entry) {
	k := x.kinds[e.class.kind]
	key := e.objectKey()
	old := k.byKey.Get(key)
	if old != nil {
		old.class.n--
		if old.uid != e.uid {
			k.byUID.remove(old)
		}
		if old.uid != e.uid || old.class.phase != e.class.phase || old.labels != e.labels {
			k.leaveGroups(old)
		}
	}
	k.byKey.Put(e)
	k.byName.put(e)
	k.byUID.put(e)
	k.enterGroups(e)
	e.class.n++
}

// remove takes an object out.
func (x *index) remove(e *entry) {
	k := x.kinds[e.class.kind]
	key := e.objectKey()
	old := k.byKey.Get(key)
	if old == nil {
		return
	}
	k.byKey.Remove(key)
	k.byName.remove(old)
	k.byUID.remove(old)
	k.leaveGroups(old)
	old.class.n--
}

// eachGroup calls fn for the labels of e's groups.
func (e *entry) eachGroup(fn func(label)) {
	fn(label{})
	if e.labels != nil {
		for _, l := range e.labels.pairs {
			fn(l)
		}
	}
}

func (k *kindIndex) enterGroups(e *entry) {
	k.phases[e.class.phase] = true
	e.eachGroup(func(l label) {
		g := group{e.class.namespace, e.class.phase, l}
		t := k.groups[g]
		if t == nil {
			t = newTree(byUID)
			k.groups[g] = t
			spaces := k.spaces[l]
			if spaces == nil {
				spaces = map[string]int{}
				k.spaces[l] = spaces
			}
			spaces[g.namespace]++
		}
		t.put(e)
	})
}

func (k *kindIndex) leaveGroups(e *entry) {
	e.eachGroup(func(l label) {
		g := group{e.class.namespace, e.class.phase, l}
		t := k.groups[g]
		t.remove(e)
		if t.length > 0 {
			return
		}
		delete(k.groups, g)
		spaces := k.spaces[l]
		if spaces[g.namespace]--; spaces[g.namespace] == 0 {
			delete(spaces, g.namespace)
		}
		if len(spaces) == 0 {
			delete(k.spaces, l)
		}
	})
}

// load adds e while the store is opened; the orders are built at the end, by
// buildOrders.
func (x *index) load(e *entry) {
	k := x.kinds[e.class.kind]
	k.byKey.Put(e)
	k.loading = append(k.loading, e)
}

// unload takes e out again.
func (x *index) unload(e *entry) {
	x.kinds[e.class.kind].byKey.Remove(e.objectKey())
}

// reserve makes room for about n objects of a kind that has none yet.
func (x *index) reserve(kind string, n int) {
	if k := x.kinds[kind]; k.byKey.Len() == 0 {
		k.byKey.Reserve(n)
		k.loading = make([]*entry, 0, n)
	}
}

// buildOrders builds what load has left out.
func (x *index) buildOrders() {
	var wg sync.WaitGroup
	for _, k := range x.kinds {
		live := k.loading[:0]
		for _, e := range k.loading {
			if k.byKey.Get(e.objectKey()) == e {
				e.class.n++
				live = append(live, e)
			}
		}
		k.loading = nil
		named := slices.Clone(live)
		wg.Go(func() {
			sortEntries(named, byName)
			k.byName = buildTree(byName, named)
		})
		wg.Go(func() {
			sortEntries(live, byUID)
			k.byUID = buildTree(byUID, live)
			k.buildGroups(live)
		})
	}
	wg.Wait()
}

// buildGroups builds the groups of entries that are sorted by uid.
func (k *kindIndex) buildGroups(sorted []*entry) {
	groups := map[group][]*entry{}
	for _, e := range sorted {
		k.phases[e.class.phase] = true
		e.eachGroup(func(l label) {
			g := group{e.class.namespace, e.class.phase, l}
			groups[g] = append(groups[g], e)
		})
	}
	for g, members := range groups {
		k.groups[g] = buildTree(byUID, members)
		if k.spaces[g.label] == nil {
			k.spaces[g.label] = map[string]int{}
		}
		k.spaces[g.label][g.namespace]++
	}
}

// sortEntries sorts entries that are in order already most of the time.
func sortEntries(entries []*entry, compare func(a, b *entry) int) {
	if !slices.IsSortedFunc(entries, compare) {
		slices.SortFunc(entries, compare)
	}
}
