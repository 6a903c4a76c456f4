@NullMarked
package dev.weir.throttler.simulation;

import org.jspecify.annotations.NullMarked;
