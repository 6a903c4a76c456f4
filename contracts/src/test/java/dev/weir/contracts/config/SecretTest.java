package dev.weir.contracts.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.contracts.config.Secret.Refresh;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SecretTest {
    @TempDir
    Path dir = Path.of("");

    @Test
    void shouldFollowItsFile_onceTheNewValueWasReadTwice() throws IOException {
        Secret secret = auth("Bearer ${file:" + file("first-value") + "}");
        assertThat(secret.followsAFile()).isTrue();
        assertThat(secret.refresh()).isEqualTo(Refresh.NOTHING_NEW);

        file("second-value\n");

        assertThat(secret.refresh()).isEqualTo(Refresh.NOTHING_NEW);
        assertThat(secret.reveal()).isEqualTo("Bearer first-value");
        assertThat(secret.refresh()).isEqualTo(Refresh.CHANGED);
        assertThat(secret.reveal()).isEqualTo("Bearer second-value");
        assertThat(secret.traces()).containsExactly("second-value", "first-value");
    }

    @Test
    void shouldTakeNoHalfWrittenValue_whenTheFileIsReadInTheMiddle() throws IOException {
        Secret secret = auth("${file:" + file("first-value") + "}");

        file("seco");
        secret.refresh();
        file("second-value");

        assertThat(secret.refresh()).isEqualTo(Refresh.NOTHING_NEW);
        assertThat(secret.reveal()).isEqualTo("first-value");
    }

    @Test
    void shouldKeepTheValue_whenTheFileIsGoneOrEmptyOrNoHeader() throws IOException {
        Path file = file("first-value");
        Secret secret = auth("${file:" + file + "}");

        Files.delete(file);
        assertUnusable(secret, "cannot be read: NoSuchFileException");
        file("");
        assertUnusable(secret, "empty");
        file("sw0rdfish\r\nHost: elsewhere");
        assertUnusable(secret, "cannot be sent as a header");
    }

    @Test
    void shouldStay_whenItComesFromTheEnvironment() throws IOException {
        Secret secret = auth("Basic ${env:KEY}");

        assertThat(secret.followsAFile()).isFalse();
        assertThat(secret.refresh()).isEqualTo(Refresh.NOTHING_NEW);
        assertThat(secret.traces()).containsExactly("from-the-environment");
    }

    @Test
    void shouldShowNothing_whenItIsPrinted() throws IOException {
        assertThat(auth("${env:KEY}")).hasToString("***");
    }

    private static void assertUnusable(Secret secret, String reason) {
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(secret::refresh)
                    .isInstanceOf(UnusableSecretException.class)
                    .hasMessageContaining(reason)
                    .hasMessageNotContaining("sw0rdfish");
            assertThat(secret.reveal()).isEqualTo("first-value");
        }
    }

    private Path file(String content) throws IOException {
        return Files.writeString(dir.resolve("key"), content);
    }

    private Secret auth(String value) throws IOException {
        Path config = Files.writeString(dir.resolve("weir.yaml"), """
                upstreams:
                  gemini:
                    baseUrl: http://127.0.0.1:9911
                    limits: [{ permits: 1000, per: 1m }]
                    auth: { header: Authorization, value: "%s" }
                """.formatted(value));
        WeirConfig loaded = ConfigLoader.load(config, Map.of("KEY", "from-the-environment"));
        AuthSettings auth =
                Objects.requireNonNull(loaded.upstreams().get("gemini")).auth();
        return Objects.requireNonNull(auth).value();
    }
}
