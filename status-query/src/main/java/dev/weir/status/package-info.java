/** Where a job stands, when it will run, and what the whole looks like. */
@NullMarked
package dev.weir.status;

import org.jspecify.annotations.NullMarked;
