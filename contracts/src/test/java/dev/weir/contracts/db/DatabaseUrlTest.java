package dev.weir.contracts.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.contracts.config.ConfigException;
import dev.weir.contracts.config.Secret;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DatabaseUrlTest {
    @Test
    void shouldTakeUserAndPasswordOut_whenTheyStandBeforeTheHost() {
        DatabaseUrl url = DatabaseUrl.parse("postgres://we%40ir:p%2Fa+ss@db.example:6432/weir?sslmode=require");

        assertThat(url.jdbcUrl()).isEqualTo("jdbc:postgresql://db.example:6432/weir");
        assertThat(url.user()).isEqualTo("we@ir");
        assertThat(revealed(url)).isEqualTo("p/a+ss");
        assertThat(url.parameters()).containsOnlyKeys("sslmode").containsValue("require");
        assertThat(url.toString()).doesNotContain("p/a+ss");
    }

    @Test
    void shouldTakeUserAndPasswordOut_whenTheyAreParametersOfAJdbcUrl() {
        DatabaseUrl url = DatabaseUrl.parse("jdbc:postgresql://localhost/weir?user=u&password=s%26t");

        assertThat(url.jdbcUrl()).isEqualTo("jdbc:postgresql://localhost:5432/weir");
        assertThat(url.user()).isEqualTo("u");
        assertThat(revealed(url)).isEqualTo("s&t");
        assertThat(url.parameters()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "localhost",
                "mysql://u:hunter2@localhost/db",
                "jdbc:postgresql:db",
                "postgresql://u:hunter2@localhost",
                "postgresql://u:hunter2@localhost/",
                "postgresql://u:hunter2@localhost/a/b",
                "postgresql://u:hunt er2@localhost/db"
            })
    void shouldNameTheVariableAndHideTheValue_whenItIsNoDatabaseUrl(String bad) {
        assertThatThrownBy(() -> DatabaseUrl.parse(bad))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("WEIR_DATABASE_URL: expected ")
                .hasMessageNotContaining("hunter2");
    }

    private static String revealed(DatabaseUrl url) {
        Secret password = Objects.requireNonNull(url.password());
        return password.reveal();
    }
}
