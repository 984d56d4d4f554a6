package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// typeNap is a type of job that only tests know. This file is all of it: its payload, its
// validation, its descriptor and its Runner.
const typeNap v1.JobType = "nap"

// nap waits, and may fail before it succeeds.
type nap struct {
	// Milliseconds is how long it takes.
	Milliseconds int32 `json:"milliseconds"`
	// Bed is what only one nap has at a time. Unset: there are beds enough.
	Bed string `json:"bed,omitempty"`
	// Fails is how many attempts fail, with exit code 7.
	Fails int64 `json:"fails,omitempty"`
	// Dream is what those report as the fact of that name.
	Dream string `json:"dream,omitempty"`
}

// factDream is a fact that no other type reports.
const factDream v1.Fact = "dream"

const longestNap = 60_000

func validateNap(n *nap, path *field.Path) field.ErrorList {
	if n.Milliseconds < 1 || n.Milliseconds > longestNap {
		return field.ErrorList{field.Invalid(path.Child("milliseconds"), n.Milliseconds, fmt.Sprintf("must be between 1 and %d", longestNap))}
	}
	return nil
}

// napKinds are the kinds of this version with jobs that nap.
func napKinds() v1.KindSet {
	return v1.KindsWith(append(v1.Payloads(), v1.DefinePayload(v1.Payload{
		Type: typeNap, Command: "nap", Title: "Nap", About: "wait a while",
		Facts: []v1.Fact{v1.FactExitCode, factDream}, IdleTimeoutSeconds: 61,
	}, v1.PayloadStrategy[nap]{Validate: validateNap})))
}

// napMaker registers the action.
func napMaker(r *napper) action.Maker {
	return action.Maker{Name: string(typeNap), New: func(host action.Host) (action.Type, error) {
		r.host = host
		return action.Type{
			Name: typeNap, Runner: r, Close: func() { r.closed.Store(true) },
			Key: func(job *v1.Job) action.Key {
				n, err := v1.CustomPayload[nap](job)
				if err != nil || n.Bed == "" {
					return action.Key{}
				}
				return action.Key{Name: "bed/" + n.Bed, Limit: 1, Subject: "bed " + n.Bed}
			},
			Plan: func(_ context.Context, job *v1.Job) (*v1.Plan, error) {
				n, err := v1.CustomPayload[nap](job)
				if err != nil {
					return &v1.Plan{Problems: []string{err.Error()}}, nil //nolint:nilerr // the problem is what the plan tells
				}
				return &v1.Plan{Valid: true, Changes: []v1.PlanChange{{Verb: v1.PlanCall, Kind: "nap", Detail: fmt.Sprintf("%d ms", n.Milliseconds)}}}, nil
			},
		}, nil
	}}
}

// napper carries naps out.
type napper struct {
	host   action.Host
	closed atomic.Bool
}

// Run implements action.Runner.
func (r *napper) Run(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
	n, err := v1.CustomPayload[nap](a.Job)
	if err != nil {
		return action.Fail(v1.ReasonInvalidArguments, err.Error())
	}
	if invalid := validateNap(n, field.NewPath("spec", string(typeNap))); len(invalid) > 0 {
		return action.Fail(v1.ReasonInvalidArguments, invalid.ToAggregate().Error())
	}
	if ctx.Err() != nil {
		return action.Outcome{Verdict: action.Stopped, Message: "The nap had not begun.", Repeatable: true}
	}
	out.Progress(50, "nap:asleep")
	out.Line(action.Stdout, "zzz")
	over := time.NewTimer(time.Duration(n.Milliseconds) * time.Millisecond)
	defer over.Stop()
	select {
	case <-ctx.Done():
		return action.Outcome{Verdict: action.Stopped, Message: "The nap was cut short.", Repeatable: true}
	case <-over.C:
	}
	if attempt, _ := strconv.ParseInt(a.ID[strings.LastIndexByte(a.ID, '-')+1:], 10, 64); n.Fails > 0 && attempt <= n.Fails {
		o := action.Fail(v1.ReasonExitCode, "The nap ended in a fright.")
		o.Facts = o.Facts.With(v1.FactExitCode, 7).With(factDream, n.Dream)
		return o
	}
	result, err := v1.NewJSON(map[string]any{"slept": n.Milliseconds})
	if err != nil {
		return action.Fail(v1.ReasonInternalError, err.Error())
	}
	return action.Outcome{Verdict: action.Succeeded, Result: &result}
}

// Recover implements action.Runner: a nap ends with its process.
func (r *napper) Recover(context.Context, action.Attempt) (action.Outcome, error) {
	return action.Outcome{Verdict: action.Lost, Repeatable: true, Message: "The nap ended with its server."}, nil
}
