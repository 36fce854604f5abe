package chart_test

import (
	"strings"
	"testing"
)

// Each bad value is refused with its key, however deep it stands.
func TestWrongValuesAreRefusedByName(t *testing.T) {
	for name, test := range map[string]struct{ value, want string }{
		"an unknown key":                              {"replicas=3", "'replicas' not allowed"},
		"an unknown key of a service":                 {"services.order.replica=3", "at '/services/order': additional properties 'replica' not allowed"},
		"an unknown service":                          {"services.orders.replicas=3", "at '/services': additional properties 'orders' not allowed"},
		"an unknown key of resources":                 {"services.order.resources.limit.cpu=1", "at '/services/order/resources': additional properties 'limit' not allowed"},
		"further variables":                           {"services.order.env[0].name=A", "at '/services/order': additional properties 'env' not allowed"},
		"further arguments":                           {"operator.args[0]=--a", "at '/operator': additional properties 'args' not allowed"},
		"further containers":                          {"services.order.sidecars[0].name=a", "additional properties 'sidecars' not allowed"},
		"no replica":                                  {"services.catalog.replicas=0", "at '/services/catalog/replicas': minimum: got 0, want 1"},
		"replicas that are no number":                 {"services.catalog.replicas=two", "at '/services/catalog/replicas': got string, want integer"},
		"memory without a unit":                       {"services.order.resources.limits.memory=512", "at '/services/order/resources/limits/memory'"},
		"memory in decimal units":                     {"services.order.resources.limits.memory=512M", "at '/services/order/resources/limits/memory'"},
		"a CPU of nothing":                            {"operator.resources.requests.cpu=0", "at '/operator/resources/requests/cpu'"},
		"no limit of memory":                          {"operator.resources.limits=null", "at '/operator/resources'"},
		"a cluster's name with capitals":              {"clusterName=North", "at '/clusterName'"},
		"a cluster's name that is too long":           {"clusterName=" + strings.Repeat("a", 33), "at '/clusterName'"},
		"a domain with a scheme":                      {"domain=https://sale.example.com", "at '/domain'"},
		"a domain of one word":                        {"domain=sale", "at '/domain'"},
		"a broker without a port":                     {"kafka.brokers={kafka}", "at '/kafka/brokers/0'"},
		"a broker as a word in place of a list":       {"kafka.brokers=kafka:9092", "at '/kafka/brokers': got string, want array"},
		"TLS that is neither":                         {"kafka.tls=maybe", "at '/kafka/tls': got string, want boolean"},
		"topics made by somebody unknown":             {"kafka.topics=Operator", "at '/kafka/topics': value must be one of 'Job', 'Strimzi', 'None'"},
		"an unknown way of Strimzi":                   {"kafka.strimzi.name=main", "at '/kafka/strimzi': additional properties 'name' not allowed"},
		"an issuer without https":                     {"staff.issuer=http://login.example.com", "at '/staff/issuer'"},
		"an app id that is none":                      {"wechat.appId=123", "at '/wechat/appId'"},
		"a merchant that is no number":                {"wechat.merchantId=shop", "at '/wechat/merchantId'"},
		"a certificate's serial that is no number":    {"wechat.certificateSerial=xyz", "at '/wechat/certificateSerial'"},
		"a public key's id of another kind":           {"wechat.platformPublicKeyId=123", "at '/wechat/platformPublicKeyId'"},
		"a Secret with a slash":                       {"secrets.mongodb=other/mongodb", "at '/secrets/mongodb'"},
		"a Secret that is no name but a value":        {"secrets.mongodb=mongodb://user:password@host", "at '/secrets/mongodb'"},
		"a Secret that nobody asks for":               {"secrets.redis=redis", "at '/secrets': additional properties 'redis' not allowed"},
		"a Secret of the operator's for MongoDB":      {"operator.secrets.mongodb=a", "at '/operator/secrets': additional properties 'mongodb' not allowed"},
		"an image that is not the chart's":            {"image.digests.redis=" + "sha256:" + strings.Repeat("a", 64), "at '/image/digests': additional properties 'redis' not allowed"},
		"a digest that is cut off":                    {"image.digests.order=sha256:abc", "at '/image/digests/order'"},
		"an unknown pull policy":                      {"image.pullPolicy=Sometimes", "at '/image/pullPolicy': value must be one of"},
		"a tag with a colon":                          {"image.tag=a:b", "at '/image/tag'"},
		"a port that is none":                         {"networkPolicy.mongodbPorts={70000}", "at '/networkPolicy/mongodbPorts/0': maximum: got 70,000, want 65,535"},
		"a peer that is empty":                        {"networkPolicy.clients[0].ipBlock=null", "at '/networkPolicy/clients/0/ipBlock'"},
		"a peer of an unknown kind":                   {"networkPolicy.clients[0].service=a", "at '/networkPolicy/clients/0': additional properties 'service' not allowed"},
		"an address block that is none":               {"networkPolicy.kafka[0].ipBlock.cidr=kafka", "at '/networkPolicy/kafka/0/ipBlock/cidr'"},
		"a toleration with an unknown effect":         {"services.order.tolerations[0].effect=Never", "at '/services/order/tolerations/0/effect'"},
		"an annotation that is no text":               {"services.order.podAnnotations.a=3", "at '/services/order/podAnnotations/a': got number, want string"},
		"rules of the ledger that are no number":      {"services.order.laneRules=new", "at '/services/order/laneRules': got string, want integer"},
		"rules of the ledger for another service":     {"services.catalog.laneRules=1", "at '/services/catalog': additional properties 'laneRules' not allowed"},
		"an unknown level of the log":                 {"logLevel=loud", "at '/logLevel': value must be one of"},
		"an endpoint of traces without a scheme":      {"telemetry.otlpEndpoint=collector:4317", "at '/telemetry/otlpEndpoint'"},
		"an interval without a unit":                  {"monitoring.serviceMonitors.interval=15", "at '/monitoring/serviceMonitors/interval'"},
		"a runbook that is no link":                   {"monitoring.runbooks=docs", "at '/monitoring/runbooks'"},
		"a gateway's unknown key":                     {"gateway.class=a", "at '/gateway': additional properties 'class' not allowed"},
		"an unknown key of the CRDs":                  {"crds.keep=false", "at '/crds': additional properties 'keep' not allowed"},
		"a database's prefix that is too long":        {"mongodb.databasePrefix=" + strings.Repeat("a", 33), "at '/mongodb/databasePrefix'"},
		"a simulator's address":                       {"simulatorAddr=sim:8080", "'simulatorAddr' not allowed"},
		"a shorter return window than the law allows": {"operator.minReturnWindow=1s", "at '/operator': additional properties 'minReturnWindow' not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := template(t, "--set", test.value); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: got %v, want %q", test.value, err, test.want)
			}
		})
	}
}

// What is right in itself and not together is refused with a sentence that says what to change.
func TestContradictionsAreRefusedWithASentence(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"what must be set is missed by name, all of it at once": {
			set("clusterName=", "domain=", "kafka.brokers=null", "staff.issuer=", "wechat.appId=", "wechat.merchantId=", "wechat.certificateSerial=", "wechat.platformPublicKeyId="),
			[]string{"- clusterName is not set: give a name", "- domain is not set", "- kafka.brokers is not set", "- staff.issuer is not set", "- wechat.appId is not set", "- wechat.merchantId is not set", "- wechat.certificateSerial is not set", "- wechat.platformPublicKeyId is not set"},
		},
		"topics by Strimzi without its cluster": {set("kafka.topics=Strimzi"), []string{"kafka.topics is Strimzi, but kafka.strimzi.cluster does not name"}},
		"users by Strimzi without its cluster":  {set("kafka.topics=None", "kafka.sasl=false", "kafka.strimzi.users=true"), []string{"kafka.strimzi.users is true, but kafka.strimzi.cluster does not name"}},
		"users by Strimzi and by Secret":        {set("kafka.topics=None", "kafka.strimzi.cluster=main", "kafka.strimzi.users=true"), []string{"take kafka.sasl and kafka.clientCertificate out"}},
		"a Job that no user lets make topics":   {set("kafka.sasl=false", "kafka.strimzi.cluster=main", "kafka.strimzi.users=true"), []string{"kafka.topics cannot be Job: set it to Strimzi or None"}},
		"more replicas in sync than there are":  {set("kafka.strimzi.replicas=1"), []string{"kafka.strimzi.minInSyncReplicas is 2, more than the 1 of kafka.strimzi.replicas"}},
		"a certificate without TLS":             {set("kafka.sasl=false", "kafka.tls=false", "kafka.clientCertificate=true"), []string{"kafka.clientCertificate is true, but kafka.tls is not"}},
		"two ways to log in":                    {set("kafka.clientCertificate=true"), []string{"kafka.clientCertificate and kafka.sasl are both true"}},
		"a gateway without a name":              {set("gateway.enabled=true"), []string{"gateway.enabled is true, but gateway.name does not name the Gateway"}},
		"a service that asks for more than it may have": {
			set("services.order.resources.requests.memory=2Gi", "operator.resources.requests.memory=1Gi"),
			[]string{"services.order.resources.requests.memory is 2Gi, more than its limits.memory of 1Gi", "operator.resources.requests.memory is 1Gi, more than its limits.memory of 128Mi"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := template(t, test.args...)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
			}
		})
	}
}

// The CRDs' rules and the pods' sleep want what older versions have not.
func TestAClusterThatIsTooOldIsRefused(t *testing.T) {
	for version, taken := range map[string]bool{"v1.31.14": false, "v1.32.0": true, "v1.34.1-eks-1234567": true, "v1.32.0-gke.100": true} {
		_, err := helmAt(t, "template", release, ".", "--values", "examples/minimal-values.yaml", "--kube-version", version)
		if (err == nil) != taken || err != nil && !strings.Contains(err.Error(), "chart requires kubeVersion: >=1.32.0-0") {
			t.Errorf("on %s: %v", version, err)
		}
	}
}

func TestANameThatServicesCannotBearIsRefused(t *testing.T) {
	long := strings.Repeat("a", 41)
	for name, want := range map[string]string{
		long: "the release's name has 41 characters", "sale.north": "the release's name is sale.north", "1sale": "begins with a letter",
	} {
		_, err := helm(t, "template", name, ".", "--values", "examples/minimal-values.yaml")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := helm(t, "template", long[:40], ".", "--values", "examples/minimal-values.yaml"); err != nil {
		t.Error(err)
	}
}
