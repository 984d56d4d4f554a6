package server

import "slices"

const (
	typeString  = "string"
	typeInteger = "integer"
	typeBoolean = "boolean"
)

// selectors narrow a collection.
func selectors() []Parameter {
	return []Parameter{
		{"labelSelector", typeString, "Objects with these labels only."},
		{"fieldSelector", typeString, "Objects with these values only: metadata.name, metadata.namespace, status.phase."},
	}
}

func listParameters() []Parameter {
	return append(selectors(),
		Parameter{"limit", typeInteger, "How many objects the answer has at most."},
		Parameter{"continue", typeString, "What an earlier page has given, for the next one."},
		Parameter{"order", typeString, "oldestFirst or newestFirst."},
	)
}

func watchParameters() []Parameter {
	return append(selectors(),
		Parameter{"watch", typeBoolean, "True for a stream."},
		Parameter{"resourceVersion", typeString, "The version after which the stream begins; unset: with the objects that exist."},
		Parameter{"timeoutSeconds", typeInteger, "How long the stream lasts."},
		Parameter{"allowWatchBookmarks", typeBoolean, "Whether the stream tells how far it has come."},
	)
}

// eventParameters are those of a collection, as events have them.
func eventParameters(of []Parameter) []Parameter {
	of = slices.DeleteFunc(of, func(p Parameter) bool { return p.Name == "order" || p.Name == "allowWatchBookmarks" })
	return append(of, Parameter{"includeObject", typeString, "What the rows of a table have of an event: None, Metadata or Object."})
}

func writeParameters(subresource string) []Parameter {
	parameters := []Parameter{{"dryRun", typeString, "All: answer as if, and store nothing."}}
	if subresource == "status" {
		parameters = append(parameters, Parameter{"durability", typeString, "durable, or soft for progress that a crash may lose."})
	}
	return parameters
}

func logParameters() []Parameter {
	return []Parameter{
		{"tailLines", typeInteger, "The last lines only."},
		{"sinceOffset", typeInteger, "What follows the entry with this offset only."},
		{"follow", typeBoolean, "Go on until the job has finished."},
		{"timestamps", typeBoolean, "Begin each line with its time."},
		{"limitBytes", typeInteger, "End after about that many bytes."},
	}
}

func revisionParameters() []Parameter {
	return []Parameter{
		{"compose", typeBoolean, "With the compose file of each revision."},
		{"diff", typeBoolean, "With the difference to the revision before."},
	}
}

func seedListParameters() []Parameter {
	return []Parameter{
		{"limit", typeInteger, "How many jobs the answer has at most."},
		{"offset", typeInteger, "How many jobs to skip."},
		{"continue", typeString, "What an earlier page has given, for the next one."},
		{"status", typeString, "Jobs with this status only."},
	}
}
