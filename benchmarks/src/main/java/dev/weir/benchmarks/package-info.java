/** How fast the throttle decides, and how fast it is on a real broker beside a bare store. */
@NullMarked
package dev.weir.benchmarks;

import org.jspecify.annotations.NullMarked;
