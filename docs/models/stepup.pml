/* Latchkey/1 step-up: one person, two tunnels of theirs. Tunnel 0 ends at the person's own client; tunnel 1 at somebody who stands in the middle with
   the person's credential and hands everything on. A tunnel rekeys while the person looks for the key. Promela; spin -run stepup.pml, or with a bug:
   -DNOEXP    the challenge has no exporter          -DREUSE  a nonce may be answered twice
   -DLATE     the gateway takes the exporter of the epoch in which the answer comes, not of the one it asked in */
#define N 3            /* nonces */
#ifdef REUSE
#define UNSPENT(n) true
#else
#define UNSPENT(n) !spent[n]
#endif
#define EX(s, e) ((s)*2 + (e))
byte epoch[2];                       /* of each tunnel */
byte asked = 0;                      /* nonces given out so far */
byte tunnel[N], exporter[N];         /* what the gateway keeps of each */
bool spent[N], old[N];               /* answered; older than 60 s */
bool made[12];                       /* nonce*4 + exporter: the person touched the key for these; whoever is in the middle has it */
byte touches[2], marks[2];           /* by tunnel: what the person meant, what the gateway did */
bool relayed = false;                /* a nonce of tunnel 1 was put before the person in tunnel 0 */
active proctype Gateway() {
  byte n, x;
end:
  do
  :: atomic { asked < N -> select(x : 0 .. 1); tunnel[asked] = x; exporter[asked] = EX(x, epoch[x]); asked++ }
  :: atomic { asked > 0 -> select(n : 0 .. N-1); if :: n < asked -> old[n] = true :: else -> skip fi }
  :: atomic { select(x : 0 .. 1); if :: epoch[x] == 0 -> epoch[x] = 1 :: else -> skip fi }
  :: atomic { /* an answer, from either tunnel: only its own nonces are looked for there */
       select(n : 0 .. N-1); select(x : 0 .. 3);
       if
       :: n < asked && made[n*4+x] && !old[n] && UNSPENT(n) ->
          if
#if defined(NOEXP)
          :: true ->
#elif defined(LATE)
          :: x == EX(tunnel[n], epoch[tunnel[n]]) ->
#else
          :: x == exporter[n] ->
#endif
             marks[tunnel[n]]++;
             assert(marks[tunnel[n]] <= touches[tunnel[n]])
          :: else -> assert(relayed && tunnel[n] == 1)      /* an honest answer in time is never refused */
          fi;
          spent[n] = true
       :: else -> skip
       fi }
  od
}
/* the person sees what tunnel 0 asks: nonces of tunnel 0, and those that whoever holds tunnel 1 puts into it */
active proctype Person() {
  byte n;
end:
  do
  :: atomic { asked > 0 -> select(n : 0 .. N-1);
       if
       :: n < asked && tunnel[n] == 0 && !made[n*4+exporter[n]] && touches[0] < 2 -> made[n*4+exporter[n]] = true; touches[0]++
       :: n < asked && tunnel[n] == 1 && touches[0] < 2 -> relayed = true;
          if :: !made[n*4+EX(0,epoch[0])] -> made[n*4+EX(0,epoch[0])] = true; touches[0]++ :: else -> skip fi
       :: else -> skip
       fi }
  od
}
