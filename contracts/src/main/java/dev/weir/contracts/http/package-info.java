/** What every role's HTTP server shares: problem details, health, metrics. */
@NullMarked
package dev.weir.contracts.http;

import org.jspecify.annotations.NullMarked;
