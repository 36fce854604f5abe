package httpkit

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
)

// Authenticators verify credentials by the name of the contract's security
// scheme. A verifier returns auth.ErrNoCredentials if there are none.
type Authenticators map[string]func(*http.Request) (auth.Principal, error)

// alternative is one way to be let in: all of its schemes must hold. One without
// schemes lets anybody in.
type alternative []scheme

type scheme struct {
	verify func(*http.Request) (auth.Principal, error)
	roles  []string
}

// alternatives returns those of an operation, by the names of their schemes.
func (a Authenticators) alternatives(route *routers.Route) ([]alternative, error) {
	required := route.Spec.Security
	if route.Operation.Security != nil {
		required = *route.Operation.Security
	}
	var all []alternative
	for _, schemes := range required {
		one, err := a.alternative(schemes)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (a Authenticators) alternative(schemes openapi3.SecurityRequirement) (alternative, error) {
	names := make([]string, 0, len(schemes))
	for name := range schemes {
		names = append(names, name)
	}
	slices.Sort(names)
	var one alternative
	for _, name := range names {
		verify := a[name]
		if verify == nil {
			return nil, fmt.Errorf("nothing verifies the security scheme %q", name)
		}
		one = append(one, scheme{verify, schemes[name]})
	}
	return one, nil
}

// authenticate tries the alternatives in order; known is false where anybody may
// come and nobody logged in. Bad credentials are refused even there: whoever
// sends them believes to be logged in.
func authenticate(r *http.Request, alternatives []alternative) (p auth.Principal, known bool, err error) {
	if len(alternatives) == 0 {
		return auth.Principal{}, false, nil
	}
	refusal, anonymous := error(auth.ErrNoCredentials), false
	for _, schemes := range alternatives {
		if len(schemes) == 0 {
			anonymous = true
			continue
		}
		p, err := schemes.satisfied(r)
		if err == nil {
			return p, true, nil
		}
		if moreTelling(err, refusal) {
			refusal = err
		}
	}
	if anonymous && errors.Is(refusal, auth.ErrNoCredentials) {
		return auth.Principal{}, false, nil
	}
	return auth.Principal{}, false, refusal
}

// satisfied verifies every scheme. The principal is that of the last scheme by
// name, which matters only where there are several.
func (a alternative) satisfied(r *http.Request) (principal auth.Principal, err error) {
	for _, s := range a {
		if principal, err = s.verify(r); err != nil {
			return auth.Principal{}, err
		}
		for _, role := range s.roles {
			if !principal.Is(role) {
				return auth.Principal{}, fault.Newf(fault.Forbidden, "role_missing", "this needs the role %q", role)
			}
		}
	}
	return principal, nil
}

// moreTelling orders refusals: a verifier that is down says more than a missing
// role, that more than a bad token, and that more than none.
func moreTelling(err, than error) bool { return weight(err) > weight(than) }

func weight(err error) int {
	switch {
	case errors.Is(err, auth.ErrNoCredentials):
		return 0
	case fault.KindOf(err) == fault.Unauthenticated:
		return 1
	case fault.KindOf(err) == fault.Forbidden:
		return 2
	default:
		return 3
	}
}
