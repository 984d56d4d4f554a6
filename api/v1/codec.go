package v1

import "encoding/json"

// Codec is what kinds with generated code implement: their JSON without reflection,
// equal to that of encoding/json but for <, > and &, which stay as they are.
//
// +kubebuilder:object:generate=false
type Codec interface {
	// DecodeCompact decodes data, which is compact JSON, into the empty receiver. It
	// reports whether all of data is known and of the right types; if not, the receiver
	// is spoilt.
	DecodeCompact(data []byte) bool
	// DecodeJSON decodes data into the empty receiver as encoding/json does.
	DecodeJSON(data []byte) error
	// AppendSpec and AppendStatus append the JSON of a part.
	AppendSpec(dst []byte) ([]byte, error)
	AppendStatus(dst []byte) ([]byte, error)
}

// DecodeJSON decodes data into obj, which must be empty, as encoding/json does.
func DecodeJSON(data []byte, obj Object) error {
	if codec, ok := obj.(Codec); ok {
		return codec.DecodeJSON(data)
	}
	return json.Unmarshal(data, obj)
}
