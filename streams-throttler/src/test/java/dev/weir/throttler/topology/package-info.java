@NullMarked
package dev.weir.throttler.topology;

import org.jspecify.annotations.NullMarked;
