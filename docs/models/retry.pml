/* Latchkey/1 under load: two offers of one client (0) and of a stranger at another address (1), cookie keys that follow each other, a network that
   keeps every INIT and every cookie and delivers any of them again. Promela; spin -run retry.pml, or with a planted bug:
   -DNOCORE  a cookie is good for any offer        -DNOLIMIT  a client answers every RETRY
   -DREUSE   a cookie is good more than once */
#define KEYS 3         /* cookie keys, the last two good */
mtype = { IDLE, INIT_SENT, RETRIED, DONE };
bool sent[2];          /* INIT with this offer was sent, without a cookie */
bool issued[6];        /* key*2 + offer: a cookie was made for it; the network has it from then on */
bool used[6];          /* a cookie that was accepted: all that is remembered of anybody */
bool worked[2];        /* key operations for this offer */
#ifdef REUSE
#define FRESH(k, o) true
#else
#define FRESH(k, o) !used[(k)*2+(o)]
#endif
byte kid = 0, inits = 0, held = 255;
bool load = true;
mtype at = IDLE;
inline key_operation(o, k) {
  /* never for an offer that did not bring its own cookie, made with a key that is still good */
  assert(k != 255 || !load);
  assert(k == 255 || (issued[k*2+o] && k + 1 >= kid));
  if :: k != 255 -> assert(!used[k*2+o]); used[k*2+o] = true :: else -> skip fi;
  worked[o] = true
}
active proctype Client() {
  do
  :: at == IDLE -> atomic { sent[0] = true; inits++; at = INIT_SENT }
#ifdef NOLIMIT
  :: at == INIT_SENT || at == RETRIED ->
#else
  :: at == INIT_SENT ->
#endif
     if :: issued[kid*2] -> atomic { held = kid; inits++; at = RETRIED; assert(inits <= 2) }
        :: worked[0] -> at = DONE fi
  :: at == RETRIED && worked[0] -> at = DONE
  :: at == RETRIED && !worked[0] && held + 1 < kid -> at = DONE     /* its cookie grew too old: the attempt ends, the next begins anew */
  :: at == DONE -> break
  od
}
/* listens only: what it knows of an INIT when the next one comes is its cookie keys */
active proctype Gateway() {
  byte o, k;
end:
  do
  :: atomic { load -> select(o : 0 .. 1); if :: sent[o] -> issued[kid*2+o] = true :: else -> skip fi }
  :: atomic { !load -> select(o : 0 .. 1); if :: sent[o] -> key_operation(o, 255) :: else -> skip fi }
  :: atomic { select(o : 0 .. 1); select(k : 0 .. KEYS-1);
       /* an INIT with a cookie: the client's own, or anything the network kept, under either offer */
       if
#ifdef NOCORE
       :: (issued[k*2] || issued[k*2+1]) && k + 1 >= kid -> key_operation(o, k)
#else
       :: issued[k*2+o] && k + 1 >= kid && FRESH(k, o) -> key_operation(o, k)
#endif
       :: else -> skip
       fi }
  :: atomic { kid < KEYS-1 -> kid++ }
  :: load = !load
  od
}
active proctype Stranger() { sent[1] = true }
