package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

// maxAnswer bounds an answer that is no stream. A list of every job of a very large server
// fits; an answer without end does not.
const maxAnswer = 1 << 30

// Config configures a Client.
type Config struct {
	// Server is the server's address, e.g. http://127.0.0.1:8080.
	Server string
	// HTTPClient carries the requests; nil: http.DefaultClient.
	HTTPClient *http.Client
	// UserAgent is sent with each request; empty: "jobwright".
	UserAgent string
	// Kinds are the kinds that the client knows; nil: v1.Kinds().
	Kinds v1.KindSet
}

// Client talks to one server. It is safe for concurrent use.
type Client struct {
	base      *url.URL
	http      *http.Client
	userAgent string
	kinds     v1.KindSet
}

// New returns a client. It does not connect to the server.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(cfg.Server)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("server %q: must be an address like http://127.0.0.1:8080", cfg.Server)
	}
	c := &Client{base: base, http: cfg.HTTPClient, userAgent: cfg.UserAgent, kinds: cfg.Kinds}
	if c.kinds == nil {
		c.kinds = v1.Kinds()
	}
	if c.http == nil {
		c.http = http.DefaultClient
	}
	if c.userAgent == "" {
		c.userAgent = "jobwright"
	}
	return c, nil
}

// Key names one object on a server.
type Key struct {
	Kind      v1.Kind
	Namespace string // empty for cluster-scoped kinds
	Name      string
}

// path is the address of the object, or with an empty name of its collection; a
// namespaced collection without a namespace is that of all workspaces.
func (k Key) path(sub ...string) []string {
	elements := []string{"apis", v1.Group, v1.Version}
	if k.Kind.Namespaced && k.Namespace != "" {
		elements = append(elements, "namespaces", k.Namespace)
	}
	elements = append(elements, k.Kind.Resource)
	if k.Name != "" {
		elements = append(elements, k.Name)
	}
	return append(elements, sub...)
}

// Get reads one object.
func (c *Client) Get(ctx context.Context, key Key) (v1.Object, error) {
	return c.object(ctx, http.MethodGet, key.path(), key.Kind, nil)
}

// Create creates obj in the workspace it names and returns it as it was stored.
func (c *Client) Create(ctx context.Context, obj v1.Object) (v1.Object, error) {
	key, err := c.keyOf(obj)
	if err != nil {
		return nil, err
	}
	key.Name = ""
	return c.object(ctx, http.MethodPost, key.path(), key.Kind, obj)
}

// Update stores obj over the version it carries.
func (c *Client) Update(ctx context.Context, obj v1.Object) (v1.Object, error) {
	key, err := c.keyOf(obj)
	if err != nil {
		return nil, err
	}
	return c.object(ctx, http.MethodPut, key.path(), key.Kind, obj)
}

// UpdateStatus stores obj's status over the version it carries.
func (c *Client) UpdateStatus(ctx context.Context, obj v1.Object) (v1.Object, error) {
	key, err := c.keyOf(obj)
	if err != nil {
		return nil, err
	}
	return c.object(ctx, http.MethodPut, key.path("status"), key.Kind, obj)
}

// Delete deletes one object.
func (c *Client) Delete(ctx context.Context, key Key) error {
	response, err := c.do(ctx, http.MethodDelete, key.path(), nil, nil, "")
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// Cancel asks for a job to end as Canceled.
func (c *Client) Cancel(ctx context.Context, key Key) (v1.Object, error) {
	response, err := c.do(ctx, http.MethodPatch, key.path(), nil, []byte(`{"spec":{"cancel":true}}`), "application/merge-patch+json")
	if err != nil {
		return nil, err
	}
	return decode(response, key.Kind)
}

// ListOptions select and page a list.
type ListOptions struct {
	Namespace     string // empty: all workspaces
	LabelSelector string
	FieldSelector string
	Limit         int
	Continue      string
}

// List is a page of objects.
type List struct {
	Items           []v1.Object
	ResourceVersion string
	Continue        string
}

// List reads one page.
func (c *Client) List(ctx context.Context, kind v1.Kind, opts ListOptions) (List, error) {
	query := url.Values{}
	for name, value := range map[string]string{
		"labelSelector": opts.LabelSelector, "fieldSelector": opts.FieldSelector, "continue": opts.Continue,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if opts.Limit > 0 {
		query.Set("limit", strconv.Itoa(opts.Limit))
	}
	response, err := c.do(ctx, http.MethodGet, Key{Kind: kind, Namespace: opts.Namespace}.path(), query, nil, "")
	if err != nil {
		return List{}, err
	}
	defer response.Body.Close()
	var answer struct {
		Metadata metav1.ListMeta   `json:"metadata"`
		Items    []json.RawMessage `json:"items"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&answer); err != nil {
		return List{}, fmt.Errorf("list %s: %w", kind.Resource, err)
	}
	list := List{ResourceVersion: answer.Metadata.ResourceVersion, Continue: answer.Metadata.Continue}
	for _, item := range answer.Items {
		obj := kind.New()
		if err := json.Unmarshal(item, obj); err != nil {
			return List{}, fmt.Errorf("list %s: %w", kind.Resource, err)
		}
		list.Items = append(list.Items, obj)
	}
	return list, nil
}

// ListAll reads every page.
func (c *Client) ListAll(ctx context.Context, kind v1.Kind, opts ListOptions) (List, error) {
	if opts.Limit == 0 {
		opts.Limit = 500
	}
	var all List
	for {
		page, err := c.List(ctx, kind, opts)
		if err != nil {
			return all, err
		}
		all.Items = append(all.Items, page.Items...)
		if all.ResourceVersion == "" {
			all.ResourceVersion = page.ResourceVersion
		}
		if page.Continue == "" {
			return all, nil
		}
		opts.Continue = page.Continue
	}
}

func (c *Client) keyOf(obj v1.Object) (Key, error) {
	kind, ok := c.kinds.Of(obj)
	if !ok {
		return Key{}, fmt.Errorf("kind %q is not one of this API", obj.GetObjectKind().GroupVersionKind().Kind)
	}
	return Key{Kind: kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}, nil
}

func (c *Client) object(ctx context.Context, method string, path []string, kind v1.Kind, obj v1.Object) (v1.Object, error) {
	var body []byte
	media := ""
	if obj != nil {
		var err error
		if body, err = json.Marshal(obj); err != nil {
			return nil, fmt.Errorf("encode %s: %w", kind.Name, err)
		}
		media = "application/json"
	}
	response, err := c.do(ctx, method, path, nil, body, media)
	if err != nil {
		return nil, err
	}
	return decode(response, kind)
}

func decode(response *http.Response, kind v1.Kind) (v1.Object, error) {
	defer response.Body.Close()
	obj := kind.New()
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(obj); err != nil {
		return nil, fmt.Errorf("read the server's answer: %w", err)
	}
	return obj, nil
}

// do sends a request; a refusal is an error.
func (c *Client) do(ctx context.Context, method string, path []string, query url.Values, body []byte, media string) (*http.Response, error) {
	address := c.base.JoinPath(path...)
	address.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", c.userAgent)
	if token, ok := ctx.Value(tokenKey{}).(string); ok {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if media != "" {
		request.Header.Set("Content-Type", media)
	}
	if strings.HasSuffix(address.Path, "/log") {
		request.Header.Set("Accept", "application/x-ndjson")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, unreachable(c.base, err)
	}
	if response.StatusCode < 300 {
		return response, nil
	}
	defer response.Body.Close()
	return nil, refusal(response)
}

// unreachable names the server that could not be reached.
func unreachable(base *url.URL, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return &UnreachableError{Server: base.String(), Err: err}
}
