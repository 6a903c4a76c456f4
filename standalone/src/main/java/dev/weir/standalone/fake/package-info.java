/** A rate-limited API to try Weir against: it enforces its limits by its own clock and measures what it sees. */
@NullMarked
package dev.weir.standalone.fake;

import org.jspecify.annotations.NullMarked;
