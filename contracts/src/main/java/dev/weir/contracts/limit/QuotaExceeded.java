package dev.weir.contracts.limit;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.weir.contracts.config.Durations;
import dev.weir.contracts.config.Tier;
import java.util.List;

/**
 * The problem of a caller whose quota is used up, as draft-ietf-httpapi-ratelimit-headers-10 has it.
 *
 * @param violatedPolicies the tier's name, as in the {@code RateLimit-Policy} field
 * @param retryAfter seconds until the same can be asked again
 */
public record QuotaExceeded(
        String type,
        String title,
        int status,
        String detail,
        @JsonProperty("violated-policies") List<String> violatedPolicies,
        long retryAfter) {
    public static final String TYPE = "https://iana.org/assignments/http-problem-types#quota-exceeded";

    static QuotaExceeded of(Decision refused) {
        Tier tier = refused.tier();
        return new QuotaExceeded(
                TYPE,
                "Quota exceeded",
                429,
                "the tier " + tier.name() + " allows " + tier.permits() + " in every " + Durations.text(tier.per())
                        + ", and they are used; nothing was taken, send it again in " + refused.retrySeconds() + " s",
                List.of(tier.name()),
                refused.retrySeconds());
    }
}
