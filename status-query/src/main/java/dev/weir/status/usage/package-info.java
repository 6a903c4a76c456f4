/** What each tenant made of each upstream, counted by minute and hour. */
@NullMarked
package dev.weir.status.usage;

import org.jspecify.annotations.NullMarked;
