package dev.weir.ingress;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.weir.contracts.http.Problem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** JSON as the standard has it, as a tree: no name twice, nothing after its end, no text that UTF-8 cannot carry. */
final class StrictJson {
    private static final ObjectReader READER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(JsonFields.MAX_NESTING)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build()
            .reader();

    private StrictJson() {}

    /** @throws IOException that {@link #malformed} explains */
    static JsonNode read(byte[] bytes) throws IOException {
        String text = StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes))
                .toString();
        JsonNode tree = READER.readTree(text);
        if (tree.isMissingNode()) {
            throw new JsonParseException(null, "the body is empty");
        }
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(tree.toString())) {
            throw new JsonParseException(null, "an escape is half of a surrogate pair");
        }
        return tree;
    }

    /** Why a body could not be read. */
    static Problem malformed(IOException failure) {
        if (failure instanceof CharacterCodingException) {
            return malformed("the body is not valid UTF-8");
        }
        if (failure instanceof JsonProcessingException json) {
            String where = json.getLocation() == null
                    ? ""
                    : " (line " + json.getLocation().getLineNr() + ", column "
                            + json.getLocation().getColumnNr() + ")";
            return malformed(ClientText.cut(json.getOriginalMessage()) + where);
        }
        throw new IllegalStateException("reading from memory failed", failure);
    }

    private static Problem malformed(String detail) {
        return Problem.of(400, "Malformed JSON", "the body cannot be read as JSON: " + detail);
    }
}
