package dev.weir.throttler.testing;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.Forecast;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;

/**
 * What a forecast says of the next moment. Read alone, because a forecast has up to a thousand break points, and one is made
 * each virtual second.
 *
 * @param nextPermit no permit's slot comes before it, unless something comes in
 */
record Glance(String state, Forecast.Queue queue, Instant nextPermit) {
    static Glance at(byte[] forecast) {
        String state = "";
        Forecast.Queue queue = new Forecast.Queue(0, 0, 0, 0, 0, null, null);
        try (JsonParser in = Json.MAPPER.createParser(forecast)) {
            in.nextToken();
            while (in.nextToken() == JsonToken.FIELD_NAME) {
                String field = in.currentName();
                in.nextToken();
                switch (field) {
                    case "state" -> state = in.getText();
                    case "queue" -> queue = Json.MAPPER.readValue(in, Forecast.Queue.class);
                    case "breakPoints" -> {
                        in.nextToken();
                        return new Glance(
                                state,
                                queue,
                                Json.MAPPER
                                        .readValue(in, Forecast.BreakPoint.class)
                                        .at());
                    }
                    default -> in.skipChildren();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new AssertionError("a forecast without break points");
    }
}
