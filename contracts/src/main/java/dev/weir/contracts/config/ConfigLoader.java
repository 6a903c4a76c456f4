package dev.weir.contracts.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.weir.contracts.config.ConfigKeys.Kind;
import dev.weir.contracts.config.ConfigKeys.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the configuration: one YAML file, over it the environment variables {@code WEIR_…}, in both {@code ${env:NAME}} and
 * {@code ${file:/path}} for secrets. Every problem found is reported, one per line, with the file, the whole key and what was
 * expected; no message shows a value that came from a secret.
 */
public final class ConfigLoader {
    /** A configuration file is a page of text; anything larger is another file. */
    public static final long MAX_FILE_BYTES = 1024 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(ConfigLoader.class);

    private static final ObjectMapper YAML = JsonMapper.builder(YAMLFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private ConfigLoader() {}

    /** @param warnings {@code WEIR_…} variables that name no key, and keys that can be guessed; one sentence each */
    public record Loaded(WeirConfig config, List<String> warnings) {
        public Loaded {
            warnings = List.copyOf(warnings);
        }
    }

    /**
     * As {@link #loadWithWarnings}, with the warnings logged.
     *
     * @throws ConfigException when the configuration cannot be used
     */
    public static WeirConfig load(Path file, Map<String, String> env) {
        Loaded loaded = loadWithWarnings(file, env);
        loaded.warnings().forEach(LOG::warn);
        return loaded.config();
    }

    /** @throws ConfigException when the configuration cannot be used */
    public static Loaded loadWithWarnings(Path file, Map<String, String> env) {
        ObjectNode root = parse(file);
        Map<String, String> origins = new TreeMap<>();
        ConfigProblems problems = new ConfigProblems(file.toString(), origins);
        List<String> warnings = override(root, env, origins, problems);
        WeirConfig config = new ConfigReader(env, problems).read(root);
        problems.throwIfAny();
        if (config == null) {
            throw new IllegalStateException("no configuration, and no problem with it either");
        }
        warnings.addAll(problems.warnings());
        return new Loaded(config, warnings);
    }

    private static ObjectNode parse(Path file) {
        try {
            if (Files.size(file) > MAX_FILE_BYTES) {
                throw new ConfigException(
                        file + ": expected a configuration file of at most " + MAX_FILE_BYTES + " bytes");
            }
            JsonNode tree = YAML.readTree(Files.readString(file));
            if (tree instanceof ObjectNode object) {
                return object;
            }
            throw new ConfigException(file + ": expected a YAML mapping with the key upstreams, but it is "
                    + (tree.isMissingNode() || tree.isNull() ? "empty" : "something else"));
        } catch (JsonProcessingException e) {
            throw new ConfigException(file + position(e) + ": expected YAML, but "
                    + e.getOriginalMessage().lines().findFirst().orElse("it cannot be read"));
        } catch (NoSuchFileException e) {
            throw new ConfigException(
                    file + ": there is no such file; --config or WEIR_CONFIG names the configuration");
        } catch (IOException e) {
            throw new ConfigException(file + ": cannot be read: " + e);
        }
    }

    private static String position(JsonProcessingException e) {
        return e.getLocation() == null ? "" : ", line " + e.getLocation().getLineNr();
    }

    /** Puts the values of the variables into the tree; returns a sentence for each variable that names no key. */
    private static List<String> override(
            ObjectNode root, Map<String, String> env, Map<String, String> origins, ConfigProblems problems) {
        Set<String> upstreams = new HashSet<>();
        root.path("upstreams").fieldNames().forEachRemaining(upstreams::add);
        Set<String> tiers = new HashSet<>(Tier.defaults().keySet());
        root.path("tiers").fieldNames().forEachRemaining(tiers::add);
        Map<String, Set<String>> names = Map.of("upstreams", upstreams, "tiers", tiers);
        List<String> warnings = new ArrayList<>();
        // So that [2] of a list comes before [10].
        TreeMap<String, String> inOrder =
                new TreeMap<>(Comparator.comparing(ConfigLoader::padded).thenComparing(Comparator.naturalOrder()));
        inOrder.putAll(env);
        for (Map.Entry<String, String> variable : inOrder.entrySet()) {
            String name = variable.getKey();
            if (!name.startsWith(ConfigKeys.PREFIX) || ConfigKeys.RESERVED_VARIABLES.contains(name)) {
                continue;
            }
            List<Target> targets = ConfigKeys.targetsOf(name, names);
            String upstream = targets.isEmpty() ? ConfigKeys.upstreamOf(name, upstreams) : null;
            if (upstream != null) {
                problems.add(
                        "the environment variable " + name,
                        "unknown key; upstream " + upstream + " has " + ConfigKeys.upstreamKeys()
                                + ", in a variable's name as in WEIR_UPSTREAMS_NAME_MAX_IN_FLIGHT");
            } else if (targets.isEmpty()) {
                warnings.add("the environment variable " + name
                        + " names no key of the configuration and is not used; an upstream must stand in the file before a"
                        + " variable can change it");
            } else if (targets.size() > 1) {
                problems.add(
                        "the environment variable " + name,
                        "expected to name one key, but it can mean "
                                + String.join(
                                        " or ",
                                        targets.stream().map(Target::path).toList()));
            } else {
                Target target = targets.get(0);
                origins.put(target.path(), name);
                JsonNode value = value(target, variable.getValue());
                String bad = value == null ? "expected YAML, such as [5m, 15m]" : put(root, target.steps(), value);
                if (bad != null) {
                    problems.at(target.path(), bad);
                }
            }
        }
        return warnings;
    }

    private static String padded(String variable) {
        return variable.replaceAll("_([0-9])(?=_|$)", "_0$1");
    }

    /** The node for a variable's text: itself for a plain value, YAML for anything larger; null when that is none. */
    private static @Nullable JsonNode value(Target target, String text) {
        if (target.key().kind() == Kind.VALUE) {
            return JsonNodeFactory.instance.textNode(text);
        }
        boolean bareList = target.key().kind() == Kind.LIST && !text.strip().startsWith("[");
        try {
            return YAML.readTree(bareList ? "[" + text + "]" : text);
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    /** Sets one place of the tree, making what stands above it; returns what is wrong when there is no such place. */
    private static @Nullable String put(ObjectNode root, List<Object> steps, JsonNode value) {
        JsonNode at = root;
        for (int i = 0; i < steps.size(); i++) {
            boolean last = i == steps.size() - 1;
            Object step = steps.get(i);
            JsonNode next = last ? value : steps.get(i + 1) instanceof Integer ? array() : object();
            if (step instanceof Integer index && at instanceof ArrayNode list) {
                if (index > list.size()) {
                    return "expected the items in order, but there is no item " + (index - 1);
                }
                if (index == list.size()) {
                    list.add(next);
                } else if (last || list.get(index).isNull()) {
                    list.set(index, next);
                }
                at = list.get(index);
            } else if (step instanceof String name && at instanceof ObjectNode object) {
                if (last || !object.hasNonNull(name)) {
                    object.set(name, next);
                }
                at = object.get(name);
            } else {
                return "cannot be set, because what stands above it in the file has another form";
            }
        }
        return null;
    }

    private static ArrayNode array() {
        return JsonNodeFactory.instance.arrayNode();
    }

    private static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }
}
