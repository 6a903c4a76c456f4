package dev.weir.contracts.config;

import java.time.Duration;

/**
 * What is kept of the upstreams' answers.
 *
 * @param maxAnswerBytes of an answer's body, decompressed; what comes after is not read, and the answer is marked as cut
 * @param retention whole days that PostgreSQL keeps results, by the day of the call
 */
public record ResultsSettings(int maxAnswerBytes, Duration retention) {
    public static final int SMALLEST_ANSWER_BYTES = 1024;
    /** As JSON every character of a text may take two bytes, and an outcome must fit into a Kafka record of 4 MiB. */
    public static final int LARGEST_ANSWER_BYTES = 1536 * 1024;

    private static final Duration SHORTEST = Duration.ofDays(1);
    private static final Duration LONGEST = Duration.ofDays(3650);
    public static final ResultsSettings DEFAULT = new ResultsSettings(1024 * 1024, Duration.ofDays(30));

    public ResultsSettings {
        if (maxAnswerBytes < SMALLEST_ANSWER_BYTES || maxAnswerBytes > LARGEST_ANSWER_BYTES) {
            throw ConfigException.at(
                    "maxAnswerBytes",
                    "expected " + SMALLEST_ANSWER_BYTES + " to " + LARGEST_ANSWER_BYTES + ", but it is "
                            + maxAnswerBytes);
        }
        if (retention.compareTo(SHORTEST) < 0
                || retention.compareTo(LONGEST) > 0
                || !retention.equals(Duration.ofDays(retention.toDays()))) {
            throw ConfigException.at(
                    "retention", "expected whole days from 1d to 3650d, but it is " + Durations.text(retention));
        }
    }
}
