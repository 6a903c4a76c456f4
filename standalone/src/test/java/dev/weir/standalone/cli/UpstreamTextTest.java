package dev.weir.standalone.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class UpstreamTextTest {
    private static final String GEMINI = """
            {"name":"gemini","state":"running","heldBy":"PT1H","windows":[
              {"per":"PT1M","limit":1000,"budget":900,"used":412,"remaining":488,"fullUntil":null},
              {"per":"PT24H","limit":500000,"budget":450000,"used":450000,"remaining":0,"fullUntil":"2026-11-23T10:00:00Z"}],
             "queue":{"waiting":4812,"scheduled":1,"retrying":3,"inFlight":31,"oldestAcceptedAt":"2026-11-22T09:00:00Z",
              "drainedAt":"2026-11-22T11:00:00.5Z"},
             "circuit":"closed","removed":false,"revision":3,"settings":{
              "limits":[{"permits":1000,"per":"PT1M"},{"permits":500000,"per":"PT24H"}],"utilization":0.9,"burst":15,
              "maxInFlight":300,"permitTtl":"PT3S","timeout":"PT1M30S","retry":{"delays":["PT5M","PT15M"]},
              "circuitBreaker":{"failures":5,"open":"PT30S","probes":3},
              "weights":{"tenants":{"acme":3},"priorities":{"high":4,"normal":2,"low":1}}}}
            """;
    private static final String GONE = """
            {"name":"gone","state":"paused","heldBy":null,"windows":[],"queue":{"waiting":0,"inFlight":0,"drainedAt":null},
             "circuit":"closed","removed":true,"revision":1,"settings":null}
            """;

    @Test
    void shouldBeATable_oneLineForEach() throws Exception {
        JsonNode upstreams = Json.MAPPER.readTree("[" + GEMINI + "," + GONE + "]");

        String text = printed(out -> UpstreamText.table(out, upstreams));

        assertThat(text).isEqualTo("""
                        NAME    STATE    HELD BY  USED                          WAITING  IN FLIGHT  DRAINED AT
                        gemini  running  PT1H     412/900 1m, 450000/450000 1d  4812     31         2026-11-22T11:00:00.5Z
                        gone    removed  -                                      0        0          -
                        """);
    }

    @Test
    void shouldSayAllOfOne() throws Exception {
        JsonNode upstream = Json.MAPPER.readTree(GEMINI);

        String text = printed(out -> UpstreamText.print(out, upstream));

        assertThat(text).isEqualTo("""
                        name          gemini
                        state         running
                        held by       PT1H
                        circuit       closed
                        used          412 of 900 per 1m (the limit is 1000)
                        used          450000 of 450000 per 1d (the limit is 500000), full until 2026-11-23T10:00:00Z
                        waiting       4812
                        scheduled     1
                        retrying      3
                        in flight     31
                        oldest job    2026-11-22T09:00:00Z
                        drained at    2026-11-22T11:00:00.5Z
                        revision      3
                        limits        1000/1m, 500000/1d
                        utilization   0.9
                        burst         15
                        max in flight 300
                        permit ttl    3s
                        timeout       90s
                        retry         after 5m, 15m
                        breaker       5 failures, open 30s, 3 probes
                        priorities    high=4, normal=2, low=1
                        weights       acme=3; 1 for others
                        """);
    }

    private static String printed(Consumer<PrintWriter> print) {
        StringWriter text = new StringWriter();
        print.accept(new PrintWriter(text));
        return text.toString().replace(System.lineSeparator(), "\n");
    }
}
