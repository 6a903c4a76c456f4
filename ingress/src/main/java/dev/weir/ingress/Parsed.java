package dev.weir.ingress;

import dev.weir.contracts.http.Problem;

/** What a request's body turned out to be. */
sealed interface Parsed {
    record Sound(Draft draft) implements Parsed {}

    record Refused(Problem problem) implements Parsed {}
}
