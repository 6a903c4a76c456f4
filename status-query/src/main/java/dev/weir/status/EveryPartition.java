package dev.weir.status;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.JobEvent;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.streams.query.KeyQuery;
import org.apache.kafka.streams.query.QueryResult;
import org.apache.kafka.streams.state.HostInfo;
import org.jspecify.annotations.Nullable;

/**
 * Asks all partitions of the status store, each where it is: those here, and one hop away the others. For an instance that
 * does not answer, the copies here do. Thread-safe; never blocks the caller.
 */
final class EveryPartition {
    private final Progress progress;
    private final LocalStores stores;
    private final Routing routing;
    private final Peers peers;
    private final Executor executor;

    /** Answers from the local stores of one partition; may take its time. */
    interface Here<T> {
        /** @throws KafkaException when a store cannot be read */
        T of(int partition);
    }

    /**
     * One instance's share.
     *
     * @param answers one for each partition
     * @param asOf null when they are the newest, see {@link Found}
     */
    record Share(List<JsonNode> answers, @Nullable Instant asOf) {}

    /** What all partitions answered. */
    record Gathered<T>(List<T> answers, @Nullable Instant asOf) {}

    /** @param executor runs what reads the stores */
    EveryPartition(Progress progress, LocalStores stores, Routing routing, Peers peers, Executor executor) {
        this.progress = progress;
        this.stores = stores;
        this.routing = routing;
        this.peers = peers;
        this.executor = executor;
    }

    /**
     * The answers of all partitions.
     *
     * @param question path and query by which another instance is asked, see {@link InternalRoutes}
     * @return fails with a {@link StatusUnavailableException} when a partition is nowhere
     */
    <T> CompletableFuture<Gathered<T>> ask(String question, Class<T> type, Here<T> here) {
        Map<@Nullable HostInfo, List<Integer>> byHost = new HashMap<>();
        IntStream.range(0, progress.partitions())
                .forEach(partition -> byHost.computeIfAbsent(host(partition), host -> new ArrayList<>())
                        .add(partition));
        List<CompletableFuture<Gathered<T>>> shares = new ArrayList<>();
        byHost.forEach((host, partitions) -> {
            CompletableFuture<Gathered<T>> share = host == null
                    ? here(partitions, here)
                    : peers.scan(host, question + "&partitions=" + text(partitions), Share.class)
                            .thenApply(answer -> gathered(answer, type))
                            .exceptionallyCompose(failure -> here(partitions, here));
            shares.add(share);
        });
        return CompletableFuture.allOf(shares.toArray(CompletableFuture<?>[]::new))
                .thenApply(done -> {
                    List<T> answers = new ArrayList<>();
                    Instant asOf = null;
                    for (CompletableFuture<Gathered<T>> share : shares) {
                        answers.addAll(share.join().answers());
                        asOf = earlier(asOf, share.join().asOf());
                    }
                    return new Gathered<>(answers, asOf);
                });
    }

    /** What is here, for another instance that asks. */
    <T> CompletableFuture<Share> share(List<Integer> partitions, Here<T> here) {
        return here(partitions, here)
                .thenApply(found -> new Share(
                        found.answers().stream()
                                .map(answer -> Json.MAPPER.<JsonNode>valueToTree(answer))
                                .toList(),
                        found.asOf()));
    }

    private @Nullable HostInfo host(int partition) {
        return progress.isRunning(partition) ? null : routing.owner(partition);
    }

    private <T> CompletableFuture<Gathered<T>> here(List<Integer> partitions, Here<T> here) {
        CompletableFuture<Gathered<T>> read;
        try {
            read = CompletableFuture.supplyAsync(
                    () -> {
                        List<T> answers = new ArrayList<>();
                        Instant asOf = null;
                        for (int partition : partitions) {
                            Instant copied = progress.isCaughtUp(partition) ? null : beat(partition);
                            answers.add(here.of(partition));
                            if (copied == null && !progress.isCaughtUp(partition)) {
                                // It was lost meanwhile: what was read may be old already.
                                copied = beat(partition);
                            }
                            asOf = earlier(asOf, copied);
                        }
                        return new Gathered<>(answers, asOf);
                    },
                    executor);
        } catch (RejectedExecutionException e) {
            read = CompletableFuture.failedFuture(e);
        }
        return read.exceptionallyCompose(failure -> CompletableFuture.failedFuture(JobLookup.unavailable(failure)));
    }

    /** Of when a copy is; one that does not know is no help. */
    private Instant beat(int partition) {
        QueryResult<JobEvent> beat =
                stores.query(StatusTopology.JOBS, partition, KeyQuery.withKey(StatusTopology.BEAT));
        if (beat == null || beat.getResult() == null) {
            throw new StatusUnavailableException(
                    "a part of the status store is starting or moving to another instance; ask again", null);
        }
        return beat.getResult().updatedAt();
    }

    private static <T> Gathered<T> gathered(Share share, Class<T> type) {
        return new Gathered<>(
                share.answers().stream()
                        .map(answer -> Json.MAPPER.convertValue(answer, type))
                        .toList(),
                share.asOf());
    }

    private static @Nullable Instant earlier(@Nullable Instant a, @Nullable Instant b) {
        return a == null || (b != null && b.isBefore(a)) ? b : a;
    }

    private static String text(List<Integer> partitions) {
        return partitions.stream().map(String::valueOf).collect(Collectors.joining(","));
    }
}
