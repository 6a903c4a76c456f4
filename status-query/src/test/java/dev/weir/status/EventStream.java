package dev.weir.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Reads server-sent events as the standard has it, to the end of the stream. */
final class EventStream {
    /** One event. */
    record Event(String id, JsonNode job) {
        String status() {
            return job.path("status").asText();
        }

        @Override
        public String toString() {
            return id + " " + status();
        }
    }

    private EventStream() {}

    /** @param heard is told of each event as it comes */
    static List<Event> read(HttpClient client, HttpRequest request, Consumer<Event> heard)
            throws IOException, InterruptedException {
        HttpResponse<Stream<String>> response = client.send(request, HttpResponse.BodyHandlers.ofLines());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type").orElse("")).startsWith("text/event-stream");
        List<Event> events = new ArrayList<>();
        String id = "";
        StringBuilder data = new StringBuilder();
        for (Iterator<String> lines = response.body().iterator(); lines.hasNext(); ) {
            String line = lines.next();
            if (line.startsWith("id: ")) {
                id = line.substring(4);
            } else if (line.startsWith("data: ")) {
                data.append(line.substring(6)).append('\n');
            } else if (line.isEmpty() && !data.isEmpty()) {
                Event event = new Event(id, Json.MAPPER.readTree(data.toString()));
                data.setLength(0);
                events.add(event);
                heard.accept(event);
            } else {
                assertThat(line).as("a line of the standard's").matches("(:.*|event: status)?");
            }
        }
        return events;
    }
}
