// Package storetest is the suite that every engine must pass: the contract of package store as
// tests, one file a topic, and the invariants that hold after each of them.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, storetest.Engine{Open: func(t *testing.T, dir string) store.Store { … }})
//	}
//
// # Invariants, checked by Check after every test
//
//  1. A list shows each object once, in its order, and Get returns the same record.
//  2. No record has a resourceVersion above the list's, and no two have the same.
//  3. Count agrees with the list.
//  4. Pages put together are the whole list; every filter selects what it says.
//
// # Disks
//
// An engine over a disk that forgets as it is told (package vfstest), whose power can so be
// cut (Engine.Power), is also shown to be linearizable across power cuts: what was acknowledged as durable is there, what has no
// answer happened before the cut or never, and a watch misses nothing.
//
// # Campaigns
//
// Each campaign says in a line of its own what was tried and what was lost. The long ones, together about half an hour:
//
//	JOBWRIGHT_TEST_ROUNDS=300 JOBWRIGHT_TEST_KILLS=200 JOBWRIGHT_TEST_CUTS=300 \
//	go test -v -timeout 2h ./store/... ./cmd/jobwright \
//	    -run 'Crash|Fault|Flip|Damaged|Read|Linear|StoreOn|Power|Kill|Disk|Clock' | grep campaign:
package storetest
