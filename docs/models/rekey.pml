/* Latchkey/1 epoch machine: in-channel rekey with overlap, reliable control stream, one data stream,
   lossy/reordered/duplicated datagrams. Promela; spin -run rekey.pml, and spin -run -noclaim rekey.pml
   for the assertions beyond the goal of the ltl claim; spin -DKRACK -DDUP -run rekey.pml for the planted bug (a RESP that is repeated installs the key again). */
#define E 3            /* epochs 0..E-1 */
#define W 2            /* data sends per side of each kind */
mtype = { INIT, RESP, DONE };
chan c2g = [4] of { mtype, byte };      /* control stream, reliable, in order; epoch carried */
chan g2c = [4] of { mtype, byte };
chan s_c2g = [4] of { byte, byte };     /* data stream: epoch, counter */
byte dgE[6]; byte dgC[6]; byte dgN = 0; /* datagram bag: the network keeps every one sent and may deliver any, any number of times */
bool sealed_s[9]; bool sealed_d[9];     /* (epoch*3+ctr) already sealed: nonce reuse detector */
bool got_d[9];
byte c_send = 0, c_recv = 0, g_send = 0, g_recv = 0;
bool pend = false;
inline seal_s(e,k) { assert(!sealed_s[e*3+k]); sealed_s[e*3+k] = true }
inline seal_d(e,k) { assert(!sealed_d[e*3+k]); sealed_d[e*3+k] = true }
active proctype Client() {
  byte ctr_s = 0, ctr_d = 0, e, n = 0, m = 0;
  mtype t;
  do
  :: !pend && c_send < E-1 -> atomic { c2g!INIT,c_send+1; pend = true }
  :: g2c?t,e ->
     if
     :: t == RESP && pend && e == c_send+1 ->
        atomic { c_send = e; c_recv = e; ctr_s = 0; ctr_d = 0; pend = false; c2g!DONE,e }
#ifdef KRACK
     :: t == RESP && e == c_send -> ctr_s = 0; ctr_d = 0      /* planted: a repeated RESP installs the key again */
#else
     :: t == RESP && !(pend && e == c_send+1) -> skip          /* install once: a repeat is ignored (and is fatal on a reliable stream) */
#endif
     fi
  :: n < W && ctr_s < 3 && len(s_c2g) < 4 -> atomic { seal_s(c_send, ctr_s); s_c2g!c_send,ctr_s; ctr_s++; n++ }
  :: m < W && ctr_d < 3 && dgN < 6 -> atomic { seal_d(c_send, ctr_d); dgE[dgN] = c_send; dgC[dgN] = ctr_d; dgN++; ctr_d++; m++ }
  :: c_send == E-1 && n == W && m == W -> break
  od
}
active proctype Gateway() {
  byte e, k, i, want_e = 0, want_c = 0, dl = 0;
  mtype t; bool prev_ok = false;
  byte prev = 255;
end:
  do
  :: c2g?t,e ->
     if
     :: t == INIT && e == g_recv+1 -> atomic { prev = g_recv; prev_ok = true; g_recv = e; g2c!RESP,e;
#ifdef DUP
        g2c!RESP,e
#endif
        }
     :: t == INIT && e != g_recv+1 -> assert(false)
     :: t == DONE -> atomic { assert(e == g_recv); g_send = e }
     fi
  :: prev_ok && g_send == g_recv -> prev_ok = false            /* overlap timer fires at any time after DONE */
  :: s_c2g?e,k ->
     atomic {
       /* stream: epochs only go up, counters start at 0 in each and leave no hole */
       assert(e >= want_e && e <= g_recv);
       if :: e > want_e -> want_e = e; want_c = 0 :: else fi;
       assert(k == want_c); want_c++
     }
  :: dgN > 0 && dl < 6 ->
     atomic { dl++; select(i : 0 .. 5);
       if
       :: i < dgN && (dgE[i] == g_recv || (prev_ok && dgE[i] == prev)) ->
          if :: !got_d[dgE[i]*3+dgC[i]] -> got_d[dgE[i]*3+dgC[i]] = true
             :: else -> skip fi                                  /* window: replay dropped */
       :: else -> skip
       fi }
  od
}
ltl rekeyed { <> (c_send == E-1 && g_send == E-1) }
