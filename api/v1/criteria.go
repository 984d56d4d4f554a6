package v1

import (
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Fact names one thing that an attempt reports about its end, for the rules of a failure
// policy. A fact's value is a text: a number in decimal, true or false, or a word.
type Fact string

// The facts that this version's actions report.
const (
	// FactExitCode is the exit code of a process.
	FactExitCode Fact = "exitCode"
	// FactHTTPStatus is the status of an HTTP response.
	FactHTTPStatus Fact = "httpStatus"
	// FactToolError is true when an MCP tool answered with isError.
	FactToolError Fact = "isError"
	// FactRPCCode is the JSON-RPC error code of an MCP server.
	FactRPCCode Fact = "rpcCode"
)

// Criterion is a field of a FailureRule that is compared with one fact.
//
// +kubebuilder:object:generate=false
type Criterion struct {
	// Field is the field's name in the rule.
	Field string
	// Fact is what the field is compared with.
	Fact Fact
	// Wants are the values of the fact that a rule accepts. None: the rule does not use
	// the criterion.
	Wants func(*FailureRule) []string
	// Unreported is the value of the fact for an attempt that did not report it; empty:
	// such an attempt does not meet the criterion.
	Unreported string

	validate func(*FailureRule, *field.Path) field.ErrorList
}

// Criteria are the criteria of a rule, in the order in which errors name them.
func Criteria() []Criterion {
	return []Criterion{{
		Field: "exitCodes", Fact: FactExitCode,
		Wants: func(r *FailureRule) []string { return decimals(r.ExitCodes) },
		validate: func(r *FailureRule, p *field.Path) field.ErrorList {
			return validateEach(r.ExitCodes, maxRuleValues, p, func(code int32, p *field.Path) field.ErrorList {
				return validateRange(&code, 1, 255, p)
			})
		},
	}, {
		Field: "httpStatus", Fact: FactHTTPStatus,
		Wants: func(r *FailureRule) []string { return decimals(r.HTTPStatus) },
		validate: func(r *FailureRule, p *field.Path) field.ErrorList {
			return validateEach(r.HTTPStatus, maxRuleValues, p, func(code int32, p *field.Path) field.ErrorList {
				return validateRange(&code, 100, 599, p)
			})
		},
	}, {
		Field: "isError", Fact: FactToolError, Unreported: strconv.FormatBool(false),
		Wants: func(r *FailureRule) []string {
			if r.IsError == nil {
				return nil
			}
			return []string{strconv.FormatBool(*r.IsError)}
		},
	}, {
		Field: "rpcCodes", Fact: FactRPCCode,
		Wants: func(r *FailureRule) []string { return decimals(r.RPCCodes) },
		validate: func(r *FailureRule, p *field.Path) field.ErrorList {
			return validateEach(r.RPCCodes, maxRuleValues, p, func(int64, *field.Path) field.ErrorList { return nil })
		},
	}}
}

// Met reports whether an attempt that reported facts meets the criterion of a rule. A rule
// that does not use the criterion is met by all.
func (c Criterion) Met(r *FailureRule, facts map[Fact]string) bool {
	wants := c.Wants(r)
	value, reported := facts[c.Fact]
	if !reported {
		value = c.Unreported
	}
	return len(wants) == 0 || value != "" && slices.Contains(wants, value)
}

func decimals[N int32 | int64](numbers []N) []string {
	texts := make([]string, 0, len(numbers))
	for _, n := range numbers {
		texts = append(texts, strconv.FormatInt(int64(n), 10))
	}
	return texts
}
