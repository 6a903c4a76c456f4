package dev.weir.contracts.http;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.NotFoundResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * {@code /docs}: {@code /openapi.json} for people, in the Swagger UI that is packaged with Weir. Everything comes from this
 * process; no other host is asked. Immutable.
 */
final class DocsPage {
    private static final String LIBRARY = "/META-INF/maven/org.webjars/swagger-ui/pom.properties";
    private static final String LIBRARY_FILES = "/META-INF/resources/webjars/swagger-ui/";
    private static final String OWN_FILES = "/docs/";

    /** Swagger UI sets styles on elements, and has its icons as data. */
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
            + " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private final byte[] page = read(OWN_FILES + "index.html");
    private final Map<String, Asset> assets;

    private static final class Asset {
        final byte[] bytes;
        final String mediaType;

        Asset(byte[] bytes, String mediaType) {
            this.bytes = bytes;
            this.mediaType = mediaType;
        }
    }

    DocsPage() {
        String library = LIBRARY_FILES + version() + "/";
        assets = Map.of(
                "docs.js", new Asset(read(OWN_FILES + "docs.js"), "text/javascript; charset=utf-8"),
                "swagger-ui-bundle.js",
                        new Asset(read(library + "swagger-ui-bundle.js"), "text/javascript; charset=utf-8"),
                "swagger-ui.css", new Asset(read(library + "swagger-ui.css"), "text/css; charset=utf-8"),
                "favicon-32x32.png", new Asset(read(library + "favicon-32x32.png"), "image/png"));
    }

    void register(RoutesConfig routes) {
        routes.get("/docs", this::page);
        routes.get("/docs/{file}", this::asset);
    }

    private void page(Context ctx) {
        if (ctx.path().endsWith("/")) {
            // The page's links are relative, so that it works below the path of a proxy too.
            ctx.redirect("../docs");
            return;
        }
        ctx.header("Content-Security-Policy", POLICY)
                .header("X-Content-Type-Options", "nosniff")
                .header("Cache-Control", "no-cache")
                .contentType("text/html; charset=utf-8")
                .result(page);
    }

    private void asset(Context ctx) {
        @Nullable Asset asset = assets.get(ctx.pathParam("file"));
        if (asset == null) {
            throw new NotFoundResponse();
        }
        Sending.later(
                ctx.header("X-Content-Type-Options", "nosniff")
                        .header("Cache-Control", "public, max-age=3600")
                        .contentType(asset.mediaType),
                asset.bytes);
    }

    private static String version() {
        try (InputStream in = open(LIBRARY)) {
            Properties properties = new Properties();
            properties.load(in);
            return Objects.requireNonNull(properties.getProperty("version"), LIBRARY);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] read(String resource) {
        try (InputStream in = open(resource)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static InputStream open(String resource) {
        InputStream in = DocsPage.class.getResourceAsStream(resource);
        if (in == null) {
            throw new IllegalStateException("the resource " + resource + " is missing from the build");
        }
        return in;
    }
}
