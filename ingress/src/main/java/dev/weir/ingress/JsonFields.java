package dev.weir.ingress;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The fields of a submission, each with its text exactly as it stood in the document: a client's JSON body goes out
 * untouched, numbers and order included, which no tree of nodes would keep.
 */
final class JsonFields {
    /** Far above any sensible document; guards the parser's own stack of contexts. */
    static final int MAX_NESTING = 200;

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            // Clients choose the names; a shared table of them would only grow.
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(MAX_NESTING).build())
            .build();

    private JsonFields() {}

    /**
     * @param token what it is
     * @param raw as it stood in the document
     * @param text the content of a string; the raw text of anything else
     * @param fields of an object that was opened; null otherwise
     */
    record Value(
            JsonToken token,
            String raw,
            String text,
            @Nullable Map<String, Value> fields) {
        boolean isNull() {
            return token == JsonToken.VALUE_NULL;
        }

        String kind() {
            return switch (token) {
                case START_OBJECT -> "an object";
                case START_ARRAY -> "a list";
                case VALUE_STRING -> "a string";
                case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
                case VALUE_TRUE, VALUE_FALSE -> "a boolean";
                default -> "null";
            };
        }
    }

    /**
     * Reads one document.
     *
     * @throws JsonParseException (or another {@code JsonProcessingException}) when the text is no JSON
     * @throws CharacterCodingException when the bytes are no UTF-8
     */
    static Value read(byte[] bytes) throws IOException {
        CharBuffer decoded = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
        char[] document = new char[decoded.remaining()];
        decoded.get(document);
        try (JsonParser parser = JSON.createParser(document, 0, document.length)) {
            if (parser.nextToken() == null) {
                throw new JsonParseException(parser, "the body is empty");
            }
            Value value = value(parser, document, Set.of("request"), true);
            if (parser.nextToken() != null) {
                throw new JsonParseException(parser, "there is more after the end of the document");
            }
            return value;
        }
    }

    private static Value value(JsonParser parser, char[] document, Set<String> open, boolean opened)
            throws IOException {
        JsonToken token = parser.currentToken();
        int start = Math.toIntExact(parser.currentTokenLocation().getCharOffset());
        Map<String, Value> fields = null;
        String text = null;
        if (token == JsonToken.START_OBJECT && opened) {
            fields = new LinkedHashMap<>();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                fields.put(name, value(parser, document, Set.of("headers"), open.contains(name)));
            }
        } else if (token.isStructStart()) {
            parser.skipChildren();
        } else if (token == JsonToken.VALUE_STRING) {
            text = parser.getText();
        }
        parser.finishToken();
        int end = Math.toIntExact(parser.currentLocation().getCharOffset());
        String raw = new String(document, start, end - start);
        return new Value(token, raw, text == null ? raw : text, fields);
    }
}
