package v1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Fact is the name of a fact that attempts report with their outcome, for the rules of a
// failure policy. The value of a fact is a text: a decimal number, true or false, or a word.
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
	// Wants returns the accepted values of the fact. None: the rule does not use the
	// criterion.
	Wants func(*FailureRule) []string
	// Unreported is the assumed value of an unreported fact. Empty: an attempt without the
	// fact does not meet the criterion.
	Unreported string

	validate func(*FailureRule, *field.Path) field.ErrorList
}

// Criteria returns the criteria with a field of their own in FailureRule, in the order in
// which errors name them.
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

// customCriterion returns the criterion on a fact without a field of its own.
func customCriterion(fact Fact) Criterion {
	name := string(fact)
	return Criterion{
		Field: name, Fact: fact,
		Wants: func(r *FailureRule) []string {
			value, ok := r.Custom[name]
			if !ok {
				return nil
			}
			if values, ok := scalars(value); ok && len(values) > 0 {
				return values
			}
			return []string{""} // what validation refuses is met by nothing
		},
		validate: func(r *FailureRule, p *field.Path) field.ErrorList {
			value, ok := r.Custom[name]
			if !ok {
				return nil
			}
			if values, ok := scalars(value); !ok || len(values) == 0 || len(values) > maxRuleValues {
				return field.ErrorList{field.Invalid(p, field.OmitValueType{}, fmt.Sprintf("must be a list of 1 to %d texts, numbers or booleans", maxRuleValues))}
			}
			return nil
		},
	}
}

// Met reports whether facts meet the criterion of a rule. Every attempt meets a criterion
// that the rule does not use.
func (c Criterion) Met(r *FailureRule, facts map[Fact]string) bool {
	wants := c.Wants(r)
	value, reported := facts[c.Fact]
	if !reported {
		value = c.Unreported
	}
	return len(wants) == 0 || value != "" && slices.Contains(wants, value)
}

// CriteriaOf returns the criteria of Criteria and the custom criteria of a rule.
func CriteriaOf(r *FailureRule) []Criterion {
	all := Criteria()
	for _, name := range sortedKeys([]string(nil), r.Custom) {
		all = append(all, customCriterion(Fact(name)))
	}
	return all
}

// scalars returns the items of a JSON list as texts, numbers as written; false if the value
// is not a list of texts, numbers and booleans.
func scalars(list JSON) (texts []string, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(list.Raw))
	decoder.UseNumber()
	var items []any
	if decoder.Decode(&items) != nil {
		return nil, false
	}
	for _, item := range items {
		switch item.(type) {
		case string, bool, json.Number:
			texts = append(texts, fmt.Sprint(item))
		default:
			return nil, false
		}
	}
	return texts, true
}

func decimals[N int32 | int64](numbers []N) []string {
	texts := make([]string, 0, len(numbers))
	for _, n := range numbers {
		texts = append(texts, strconv.FormatInt(int64(n), 10))
	}
	return texts
}
