// Package argocd tries the rule by which Argo CD judges our kinds, in the Lua that Argo CD runs.
package argocd

import (
	"os"
	"path/filepath"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"sigs.k8s.io/yaml"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

func TestHealth(t *testing.T) {
	const seen = "metadata: {generation: 2}\nstatus:\n  observedGeneration: 2\n"
	for name, test := range map[string]struct{ object, want string }{
		"a new object is waited for":               {"metadata: {generation: 1}", "Progressing"},
		"a change that was not seen is waited for": {"metadata: {generation: 3}\nstatus: {observedGeneration: 2, conditions: [{type: Ready, status: 'True', reason: AsWanted}]}", "Progressing"},
		"without Ready it is waited for":           {seen + "  conditions: [{type: Published, status: 'True', reason: Published}]", "Progressing"},
		"the stock pool is waited for":             {seen + "  conditions: [{type: Ready, status: 'False', reason: Pending, message: waiting}]", "Progressing"},
		"what is as wanted is healthy":             {seen + "  conditions: [{type: Ready, status: 'True', reason: AsWanted}]\nspec: {}", "Healthy"},
		"what is paused on purpose is suspended":   {seen + "  conditions: [{type: Ready, status: 'True', reason: Suspended}]\nspec: {suspend: true}", "Suspended"},
		"a refusal is for somebody to look at":     {seen + "  conditions: [{type: Ready, status: 'False', reason: NotEnoughStock, message: lower the units}]", "Degraded"},
		"what is paused and refused is, too":       {seen + "  conditions: [{type: Ready, status: 'False', reason: LaneStopped}]\nspec: {suspend: true}", "Degraded"},
		"what nobody knows is waited for":          {seen + "  conditions: [{type: Ready, status: Unknown, reason: Pending}]", "Progressing"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []string{"Campaign", "OwnerProgram"} {
				if got := judged(t, kind, test.object); got != test.want {
					t.Errorf("a %s is %s, want %s", kind, got, test.want)
				}
			}
		})
	}
}

// judged is the status that the rule gives an object.
func judged(t *testing.T, kind, object string) string {
	t.Helper()
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(root, "operators/campaign/config/argocd/argocd-cm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var patch struct{ Data map[string]string }
	if err := yaml.Unmarshal(raw, &patch); err != nil {
		t.Fatal(err)
	}
	rule := patch.Data["resource.customizations.health.sale.qingcang.io_"+kind]
	if rule == "" {
		t.Fatalf("there is no rule for %s", kind)
	}
	var parsed map[string]any
	if err := yaml.Unmarshal([]byte(object), &parsed); err != nil {
		t.Fatal(err)
	}
	state := lua.NewState()
	defer state.Close()
	state.SetGlobal("obj", valueOf(state, parsed))
	if err := state.DoString(rule); err != nil {
		t.Fatal(err)
	}
	health, ok := state.Get(-1).(*lua.LTable)
	if !ok || health.RawGetString("message").String() == "" {
		t.Fatalf("the rule says %v", state.Get(-1))
	}
	return health.RawGetString("status").String()
}

// valueOf is a value of a document as Lua has it.
func valueOf(state *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, one := range v {
			table.RawSetString(key, valueOf(state, one))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, one := range v {
			table.Append(valueOf(state, one))
		}
		return table
	case string:
		return lua.LString(v)
	case bool:
		return lua.LBool(v)
	case float64:
		return lua.LNumber(v)
	default:
		return lua.LNil
	}
}
