package dev.weir.contracts.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The part of the configuration that says who may call, and how much. */
class ClientsConfigTest {
    private static final String UPSTREAM =
            "upstreams: { api: { baseUrl: http://x, limits: [{ permits: 10, per: 1s }] } }\n";
    private static final Map<String, String> ENV =
            Map.of("ACME_KEY", "acme-0123456789abcdef", "OPS_KEY", "ops-0123456789abcdef");

    @TempDir
    Path dir = Path.of("");

    @Test
    void shouldHaveTheDefaultTiersAndNoClients_whenNothingIsSaid() {
        Clients clients = load("", Map.of()).config().clients();

        assertThat(clients).isEqualTo(Clients.NONE);
        assertThat(clients.isEmpty()).isTrue();
        assertThat(clients.tiers())
                .isEqualTo(Map.of(
                        "anonymous", new Tier("anonymous", 100, Duration.ofMinutes(1)),
                        "free", new Tier("free", 1_000, Duration.ofMinutes(1)),
                        "pro", new Tier("pro", 10_000, Duration.ofMinutes(1)),
                        "enterprise", new Tier("enterprise", 100_000, Duration.ofMinutes(1))));
    }

    @Test
    void shouldReadEveryKey_whenTheFileSetsThemAll() throws IOException {
        Clients clients = load("""
                        clients:
                          - { tenant: acme, apiKey: "${env:ACME_KEY}", tier: bulk, weight: 2, role: producer }
                          - { tenant: acme, apiKey: "acme-reads-its-jobs-0123", role: analyst }
                          - { tenant: ops, apiKey: "${env:OPS_KEY}", role: operator }
                        tiers:
                          bulk: { permits: 50, per: 2h }
                          free: { permits: 7 }
                        oldRateLimitHeaders: true
                        trustedProxies: [10.0.0.0/8, "2001:db8::/32", 192.0.2.1]
                        """, ENV).config().clients();

        assertThat(clients.list())
                .containsExactly(
                        new ClientConfig("acme", KeyHash.of("acme-0123456789abcdef"), "bulk", 2, ClientRole.PRODUCER),
                        new ClientConfig("acme", KeyHash.of("acme-reads-its-jobs-0123"), "free", 2, ClientRole.ANALYST),
                        new ClientConfig("ops", KeyHash.of("ops-0123456789abcdef"), "free", 1, ClientRole.OPERATOR));
        assertThat(clients.weights()).isEqualTo(Map.of("acme", 2));
        assertThat(clients.tiers())
                .containsEntry("bulk", new Tier("bulk", 50, Duration.ofHours(2)))
                .containsEntry("free", new Tier("free", 7, Duration.ofMinutes(1)))
                .hasSize(5);
        assertThat(clients.oldRateLimitHeaders()).isTrue();
        assertThat(clients.trustedProxies())
                .containsExactly(
                        new AddressRange(InetAddress.getByName("10.0.0.0"), 8),
                        new AddressRange(InetAddress.getByName("2001:db8::"), 32),
                        new AddressRange(InetAddress.getByName("192.0.2.1"), 32));
    }

    @Test
    void shouldTakeKeysFromVariables() {
        Clients clients = load(
                        "clients: [{ tenant: acme, apiKey: to-be-replaced-0123 }]\n",
                        Map.of(
                                "WEIR_CLIENTS_0_API_KEY", "from-the-environment-1",
                                "WEIR_CLIENTS_0_ROLE", "operator",
                                "WEIR_TIERS_FREE_PERMITS", "5",
                                "WEIR_TRUSTED_PROXIES", "[10.1.0.0/16]",
                                "WEIR_OLD_RATE_LIMIT_HEADERS", "true"))
                .config()
                .clients();

        assertThat(clients.list())
                .containsExactly(
                        new ClientConfig("acme", KeyHash.of("from-the-environment-1"), "free", 1, ClientRole.OPERATOR));
        assertThat(clients.tiers()).containsEntry("free", new Tier("free", 5, Duration.ofMinutes(1)));
        assertThat(clients.trustedProxies()).hasSize(1);
        assertThat(clients.oldRateLimitHeaders()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "clients: {}                                          | clients: expected a list of clients",
                "clients: [x]                                         | clients[0]: expected a section with the keys tenant, apiKey, tier, weight, role",
                "clients: [{ tenant: a }]                             | clients[0].apiKey: missing; expected a secret",
                "clients: [{ apiKey: sw0rdfish }]                     | clients[0].tenant: missing",
                "clients: [{ tenant: '', apiKey: sw0rdfish }]         | clients[0].tenant: expected a tenant's name",
                "clients: [{ tenant: a/b, apiKey: sw0rdfish }]        | clients[0].tenant: expected a tenant's name",
                "clients: [{ tenant: a, apikey: sw0rdfish }]          | clients[0].apikey: unknown key; did you mean apiKey?",
                "clients: [{ tenant: a, apiKey: '' }]                 | clients[0].apiKey: expected a secret, but it is empty",
                "clients: [{ tenant: a, apiKey: 'sw0rdfish x' }]      | clients[0].apiKey: expected at most 256 visible ASCII",
                "clients: [{ tenant: a, apiKey: '${env:NONE}' }]      | clients[0].apiKey: the environment variable NONE",
                "clients: [{ tenant: a, apiKey: sw0rdfish, tier: x }] | clients[0].tier: expected one of anonymous, free, pro, enterprise, but it is x",
                "clients: [{ tenant: a, apiKey: sw0rdfish, role: x }] | clients[0].role: expected producer, operator or analyst, but it is x",
                "clients: [{ tenant: a, apiKey: sw0rdfish, weight: 0 }] | clients[0].weight: expected a weight of 1 to 1000, but it is 0",
                "clients: [{ tenant: a, apiKey: sw0rdfish }, { tenant: b, apiKey: sw0rdfish }] | clients[1].apiKey: expected a key of its own, but clients[0] has the same",
                "clients: [{ tenant: a, apiKey: sw0rdfish, weight: 2 }, { tenant: a, apiKey: other, weight: 3 }] | clients[1].weight: expected one weight for all clients of a tenant",
                "tiers: []                                            | tiers: expected tiers under their names",
                "tiers: { new: { permits: 5 } }                       | tiers.new.per: missing",
                "tiers: { pro: { permits: 0, per: 1m } }              | tiers.pro.permits: expected 1 to 1000000, but it is 0",
                "tiers: { pro: { permits: 1, per: 1500ms } }          | tiers.pro.per: expected whole seconds, 1s to 1d, but it is 1500ms",
                "tiers: { Pro: { permits: 1, per: 1m } }              | tiers.Pro: expected a tier's name",
                "oldRateLimitHeaders: maybe                           | oldRateLimitHeaders: expected true or false, but it is maybe",
                "trustedProxies: 10.0.0.1                             | trustedProxies: expected a list of addresses",
                "trustedProxies: [proxy.example]                      | trustedProxies[0]: expected an address or a range",
                "trustedProxies: [10.0.0.0/33]                        | trustedProxies[0]: expected an address or a range",
            })
    void shouldNameTheKeyAndHideItsValue_whenItIsBad(String yaml, String message) {
        assertThatThrownBy(() -> load(yaml + "\n", Map.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("sw0rdfish");
    }

    @Test
    void shouldWarnWithoutShowingIt_whenAKeyCanBeGuessed() {
        assertThat(load("clients: [{ tenant: a, apiKey: sw0rdfish }]\n", Map.of())
                        .warnings())
                .singleElement()
                .asString()
                .contains("clients[0].apiKey: the key has fewer than 16 characters")
                .doesNotContain("sw0rdfish");
    }

    @Test
    void shouldShowNoKey_whenTheConfigurationIsPrinted() {
        assertThat(load("clients: [{ tenant: a, apiKey: sw0rdfish }]\n", Map.of())
                        .config()
                        .toString())
                .contains("***")
                .doesNotContain("sw0rdfish");
    }

    private ConfigLoader.Loaded load(String yaml, Map<String, String> env) {
        Path file = dir.resolve("weir.yaml");
        try {
            Files.writeString(file, UPSTREAM + yaml);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return ConfigLoader.loadWithWarnings(file, env);
    }
}
